// The finalizer goroutine calls user code that blocks, so it counts as a user's goroutine.
package main

import (
	"fmt"
	"runtime"
	"time"
)

type resource struct {
	id   int
	data [64]byte
}

var entered = make(chan bool, 1)

func release(r *resource) {
	entered <- true
	select {}
}

//go:noinline
func drop() {
	runtime.SetFinalizer(&resource{id: 1}, release)
}

func main() {
	drop()
	for {
		runtime.GC()
		select {
		case <-entered:
			fmt.Println("crash.kind = \"panic\"\ncrash.message = \"finalizer blocked\"\ncrash.goroutine = 1")
			panic("finalizer blocked")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
