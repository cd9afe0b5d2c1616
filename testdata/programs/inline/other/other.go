// Package other is inlined into main.
package other

// Enter calls f two inlined frames deep.
func Enter(f func()) { inner(f) }

func inner(f func()) { f() }

// Generic waits on any channel.
func Generic[T any](c chan T) T { return receive(c) }

//go:noinline
func receive[T any](c chan T) T { return <-c }
