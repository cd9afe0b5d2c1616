// More goroutines that compute than processors: running ones, and a queue of runnable ones.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

var sink [64]uint64

func loop(slot int) {
	for i := uint64(0); ; i++ {
		sink[slot] += i
	}
}

//go:noinline
func step(x uint64) uint64 { return x*2862933555777941757 + 3037000493 }

func calls(slot int) {
	x := uint64(slot)
	for {
		x = step(x)
		sink[slot] = x
	}
}

func yield() {
	for {
		runtime.Gosched()
	}
}

func main() {
	fmt.Printf("gomaxprocs = %d\n", runtime.GOMAXPROCS(0))
	for i := 0; i < 6; i++ {
		go loop(i)
		go calls(8 + i)
	}
	go yield()
	time.Sleep(100 * time.Millisecond)
	if len(os.Args) > 1 {
		fmt.Println("crash.kind = \"signal\"\nready")
		select {}
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"busy\"\ncrash.goroutine = 1")
	panic("busy")
}
