// Panics in a goroutine of its own while others wait.
package main

import (
	"fmt"
	"time"
)

func waiter(block chan int) { <-block }

func worker(depth int) {
	if depth > 0 {
		worker(depth - 1)
		return
	}
	time.Sleep(10 * time.Millisecond) // main waits by then
	panic(fmt.Errorf("worker failed at depth %d", depth))
}

func main() {
	block := make(chan int)
	for i := 0; i < 4; i++ {
		go waiter(block)
	}
	time.Sleep(20 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"worker failed at depth 0\"\n")
	go worker(5)
	select {}
}
