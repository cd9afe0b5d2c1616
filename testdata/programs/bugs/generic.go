package main

import "fmt"

// stack fails when it is empty.
type stack[T any] struct{ items []T }

//go:noinline
func (s *stack[T]) pop() T {
	last := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return last
}

func genericMethod() { (&stack[string]{}).pop() }

//go:noinline
func apply[K comparable, V any](in map[K]V, f func(K) V) V {
	var key K
	call := func() V { return f(key) }
	return call()
}

func genericClosure() {
	apply(map[string]int{}, func(key string) int { return len(key) })
	apply(map[int]error{}, func(key int) error {
		if key == 0 {
			panic(fmt.Sprintf("key %d of map %p", key, &key))
		}
		return nil
	})
}
