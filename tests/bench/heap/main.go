// A heap of so many objects in random order, or so many goroutines that nobody wakes, of which each
// holds the channel of the next; then an abort. For tests/bench/bench_heap.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

type node struct {
	left, right *node
	other       *node
	data        [8]byte
	text        []byte
}

var keep *node

func objects(n int) {
	r := rand.New(rand.NewSource(1))
	all := make([]*node, n/2)
	for i := range all {
		all[i] = &node{text: make([]byte, 140)}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		if 2*i+1 < len(all) {
			all[i].left = all[2*i+1]
		}
		if 2*i+2 < len(all) {
			all[i].right = all[2*i+2]
		}
		all[i].other = all[r.Intn(len(all))]
	}
	keep = all[0]
}

//go:noinline
func wait(own, next chan int) int {
	n := <-own
	next <- n
	return n
}

// Half of them hang on a channel that the program still holds, the others on one that is lost.
func goroutines(n int) chan int {
	first := make(chan int)
	last := first
	for i := 0; i < n; i++ {
		next := make(chan int)
		if i == n/2 {
			last = make(chan int)
		}
		go wait(last, next)
		last = next
	}
	return first
}

func main() {
	var held chan int
	n, _ := strconv.Atoi(os.Args[2])
	if os.Args[1] == "objects" {
		objects(n)
	} else {
		held = goroutines(n)
	}
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println(m.HeapObjects, m.HeapAlloc)
	syscall.Kill(os.Getpid(), syscall.SIGABRT)
	time.Sleep(time.Hour)
	held <- 1
}
