// Crashes while goroutines allocate and the collector runs.
package main

import (
	"fmt"
	"time"
)

type node struct {
	left, right *node
	data        [6]uint64
}

func build(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: build(depth - 1), right: build(depth - 1)}
}

func churn() {
	for {
		build(14)
	}
}

func grow(n int) int {
	var buffer [256]byte
	if n == 0 {
		return int(buffer[0])
	}
	return grow(n-1) + int(buffer[n&255])
}

func stacks() {
	for {
		done := make(chan int)
		go func() { done <- grow(200) }()
		<-done
	}
}

func main() {
	for i := 0; i < 4; i++ {
		go churn()
	}
	go stacks()
	time.Sleep(200 * time.Millisecond)
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"in the middle of it\"\ncrash.goroutine = 1")
	panic("in the middle of it")
}
