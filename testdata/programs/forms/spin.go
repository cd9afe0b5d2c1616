package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

var spins, result uint64

// spin never calls anything: what it holds lies in registers, saved when it is preempted.
//
//go:noinline
func spin(scale float64, step int, small float32) {
	sum := scale
	for {
		if atomic.AddUint64(&spins, uint64(step)) == 0 {
			sum += scale
		}
		if sum == float64(small) {
			break
		}
	}
	atomic.StoreUint64(&result, uint64(sum+scale)+uint64(step))
}

func spinning() {
	fmt.Fprintf(out, "spin.sum = 1234.0625\nspin.scale = 1234.0625\nspin.step = 77\nspin.small = 0.375\n")
	go spin(1234.0625, 77, 0.375)
	time.Sleep(5 * time.Millisecond)
}
