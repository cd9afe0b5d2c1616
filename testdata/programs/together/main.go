// Threads that die in the same moment, each of a panic of its own: the first to take the runtime's
// lock is printed first, the last to be printed dumps the core.
package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

var gate int32

func die(name string) {
	runtime.LockOSThread()
	for atomic.LoadInt32(&gate) == 0 {
	}
	panic(name)
}

func main() {
	runtime.GOMAXPROCS(3)
	fmt.Println("crash.kind = \"panic\"")
	go die("one of two")
	go die("two of two")
	time.Sleep(20 * time.Millisecond)
	atomic.StoreInt32(&gate, 1)
	for {
		syscall.Getpid()
	}
}
