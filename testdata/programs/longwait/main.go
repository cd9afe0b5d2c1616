// Goroutines that wait for longer than a minute while the collector runs. It stamps a goroutine that
// it finds waiting with the time of the collection before: the traceback prints a minute for late
// too, which waits a third of that.
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

func early(c chan int) { <-c }
func late(c chan int)  { <-c }
func last(c chan int)  { <-c }

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
	runtime.GC()
	time.Sleep(40 * time.Second)
	go late(c)
	time.Sleep(50 * time.Millisecond)
	parked := time.Now()
	runtime.GC()
	time.Sleep(21 * time.Second)
	go last(c)
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"late\"\ncrash.goroutine = 1\n")
	fmt.Printf("wait.main.early = %d\n", time.Since(begin).Nanoseconds())
	fmt.Printf("wait.main.late = %d\n", time.Since(parked).Nanoseconds())
	panic("late")
}
