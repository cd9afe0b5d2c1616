//go:build go1.25

package main

import "runtime"

const unfinishedCleanups = 40

// Cleanups that never end, and those behind them.
func cleanups() {
	block := make(chan int)
	for i := 0; i < unfinishedCleanups; i++ {
		runtime.AddCleanup(&tree{}, func(int) { <-block }, i)
	}
}
