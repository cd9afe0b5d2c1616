// Asks for a core by itself, whatever level of traceback its environment names.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	debug.SetTraceback("crash")
	go time.Sleep(time.Hour)
	time.Sleep(20 * time.Millisecond)
	fmt.Println("traceback_level = \"crash\"\ncrash.goroutine = 1\ncrash.blamed = [1]")
	if len(os.Args) > 1 {
		fmt.Println("crash.kind = \"panic\"\ncrash.message = \"runtime error: index out of range [1] with length 1\"")
		_ = os.Args[1:][len(os.Args)-1]
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"level\"")
	panic("level")
}
