// Two processors with long queues: hundreds of goroutines that are ready to run.
package main

import (
	"fmt"
	"runtime"
	"time"
)

var sink [1024]uint64

func busy(slot int) {
	for i := uint64(0); ; i++ {
		sink[slot] += i
	}
}

func polite(slot int) {
	for {
		sink[slot]++
		runtime.Gosched()
	}
}

func fresh(slot int) { sink[slot]++; select {} }

func main() {
	runtime.GOMAXPROCS(2)
	fmt.Println("gomaxprocs = 2")
	for i := 0; i < 2; i++ {
		go busy(i)
	}
	for i := 0; i < 100; i++ {
		go polite(2 + i)
	}
	time.Sleep(30 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"full queues\"\ncrash.goroutine = 1")
	for i := 0; i < 600; i++ {
		go fresh(200 + i%800)
	}
	panic("full queues")
}
