// Package store stands for a dependency in its second major version.
package store

import "fmt"

// Table is a dependency's type with a method that fails.
type Table struct{ rows []string }

// Row fails past the end, two calls deep.
//
//go:noinline
func (t *Table) Row(n int) string { return t.at(n) }

//go:noinline
func (t *Table) at(n int) string { return t.rows[n] }

// Each calls f for some numbers; the compiler inlines it into its caller.
func Each(n int, f func(int)) {
	for i := 0; i < n; i++ {
		f(i)
	}
}

// Text has a closure of its own, which moves into the caller with it.
func Text(n int) string {
	format := func() string {
		if n > 2 {
			panic(fmt.Errorf("no text for %d", n))
		}
		return fmt.Sprint(n)
	}
	return format()
}
