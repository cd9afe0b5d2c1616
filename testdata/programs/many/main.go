// Many goroutines (argument, default 1000) with about ten frames each, in a few wait states.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	block = make(chan int)
	full  = make(chan int)
	mu    sync.Mutex
	ready int64
)

//go:noinline
func descend(depth, kind int) int {
	if depth > 0 {
		return descend(depth-1, kind) + 1
	}
	return park(kind)
}

//go:noinline
func park(kind int) int {
	atomic.AddInt64(&ready, 1)
	switch kind {
	case 0:
		return <-block
	case 1:
		full <- kind
	case 2:
		select {
		case v := <-block:
			return v
		case full <- 2:
		}
	case 3:
		mu.Lock()
	case 4:
		time.Sleep(time.Hour)
	}
	return kind
}

func worker(kind int) { descend(5, kind) }

func main() {
	n := 1000
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	mu.Lock()
	for i := 0; i < n; i++ {
		go worker(i % 5)
	}
	for atomic.LoadInt64(&ready) < int64(n) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"many\"\ngoroutines = %d\n", n+1)
	panic("many")
}
