//go:build go1.23

package main

import "iter"

func numbers(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

//go:noinline
func sum(limits []int) (total int) {
	for i := range numbers(5) {
		for k := range numbers(i + 1) {
			total += limits[i+k]
		}
	}
	return total
}

func init() { bugs["range-func"] = func() { sum([]int{1, 2, 3}) } }
