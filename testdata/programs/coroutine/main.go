// Goroutines that are coroutines of an iterator.
package main

import (
	"fmt"
	"time"
)

func main() {
	for i := 0; i < 3; i++ {
		go pull(i)
	}
	time.Sleep(20 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"pulled\"\ncrash.goroutine = 1")
	panic("pulled")
}
