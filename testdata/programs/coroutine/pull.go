//go:build go1.23

package main

import "iter"

func numbers(yield func(int) bool) {
	for i := 0; ; i++ {
		if !yield(i) {
			return
		}
	}
}

func pull(n int) {
	next, stop := iter.Pull(numbers)
	defer stop()
	for i := 0; i <= n; i++ {
		next()
	}
	select {}
}
