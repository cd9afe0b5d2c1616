// Waits, with a few goroutines in different states, for a signal from outside.
package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

var sink uint64

func spin() {
	for i := uint64(0); ; i++ {
		sink += i
	}
}

func read(fd int) {
	var b [1]byte
	_, _ = syscall.Read(fd, b[:])
}

func main() {
	var mu sync.Mutex
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	mu.Lock()
	go mu.Lock()
	go read(pipe[0])
	go time.Sleep(time.Hour)
	if len(os.Args) > 1 && os.Args[1] == "spin" {
		go spin()
		go spin()
	}
	time.Sleep(20 * time.Millisecond)
	fmt.Printf("crash.kind = \"signal\"\nready\n")
	<-make(chan int)
}
