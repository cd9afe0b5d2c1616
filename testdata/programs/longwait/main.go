// Goroutines that have waited for longer than a minute, marked by the collector: the traceback
// prints their minutes.
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

func early(c chan int) { <-c }
func late(c chan int)  { <-c }

func read(fd int) {
	var b [1]byte
	_, _ = syscall.Read(fd, b[:])
}

func main() {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	c := make(chan int)
	go early(c)
	go read(pipe[0])
	go func() { select {} }()
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	runtime.GC()
	time.Sleep(61 * time.Second)
	go late(c)
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"late\"\ncrash.goroutine = 1\n")
	fmt.Printf("wait.main.early = %d\n", time.Since(begin).Nanoseconds())
	panic("late")
}
