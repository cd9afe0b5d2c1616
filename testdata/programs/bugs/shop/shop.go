// Package shop belongs to the program's own module.
package shop

import (
	"fmt"
	"sync"
)

// Order is what goroutines fail on.
type Order struct {
	ID    int
	Lines []string
	next  *Order
}

// Clerk works off orders in goroutines of its own.
type Clerk struct {
	name string
	wg   sync.WaitGroup
}

// Start runs a method value in a goroutine.
func (c *Clerk) Start() {
	work := c.work
	c.wg.Add(1)
	go work()
	c.wg.Wait()
}

func (c *Clerk) work() {
	defer c.wg.Done()
	var last *Order
	c.serve(last)
}

//go:noinline
func (c *Clerk) serve(o *Order) { c.name = o.Lines[0] }

// Checked is inlined into its caller, closure and all.
func Checked(o *Order) func() string {
	return func() string { return o.next.Lines[0] }
}

// Price has a closure and a value for a receiver.
type Price struct{ cents, share int }

// Split fails for a share of zero.
//
//go:noinline
func (p Price) Split() int {
	part := func() int { return p.cents / p.share }
	return part()
}

// Missing is an error whose text differs from run to run.
type Missing struct {
	ID   int
	Name string
	At   *Order
}

func (m *Missing) Error() string {
	return fmt.Sprintf("order %d of %q is missing at %p", m.ID, m.Name, m.At)
}

// Book is a base that others embed.
type Book struct{ pages []int }

// Page is promoted.
//
//go:noinline
func (b *Book) Page(n int) int { return b.pages[n] }

// Ledger promotes it.
type Ledger struct {
	*Book
	Owner string
}

// Pager is how it is called.
type Pager interface{ Page(n int) int }
