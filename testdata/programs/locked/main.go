// Goroutines locked to their threads: parked, in a system call, computing; main locked too.
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

func park() {
	runtime.LockOSThread()
	<-make(chan int)
}

func sleep() {
	runtime.LockOSThread()
	time.Sleep(time.Hour)
}

func read(fd int) {
	runtime.LockOSThread()
	var b [1]byte
	_, _ = syscall.Read(fd, b[:])
}

func compute() {
	runtime.LockOSThread()
	for {
	}
}

func init() { runtime.LockOSThread() }

func main() {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	for i := 0; i < 3; i++ {
		go park()
		go sleep()
		go read(pipe[0])
	}
	go compute()
	time.Sleep(50 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"locked\"\ncrash.goroutine = 1")
	panic("locked")
}
