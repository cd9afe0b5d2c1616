// Calls that the compiler inlines or wraps: mid-stack, closures, generics, method values, deferred
// calls, interface wrappers, another package.
package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"example.com/inline/other"
)

var block = make(chan int)

func leaf() int   { return <-block }
func middle() int { return leaf() + 1 }
func outer() int  { return middle() + 1 }

type pair[K comparable, V any] struct {
	key   K
	value V
}

//go:noinline
func (p *pair[K, V]) wait() V {
	<-block
	return p.value
}

func (p *pair[K, V]) small() V { return p.wait() }

//go:noinline
func apply[T any](values []T, f func(T)) {
	for _, v := range values {
		f(v)
	}
}

type embedded struct{ *pair[string, int] }

type waiter interface{ small() int }

func closures() {
	x := 0
	func() {
		func() {
			x++
			x += leaf()
		}()
	}()
}

func deferred() {
	defer func() { leaf() }()
}

func deferredLoop() {
	for i := 0; i < 2; i++ {
		defer leaf()
	}
}

func variadic(args ...int) int { return leaf() + len(args) }

type list []int

func (l list) Len() int           { return len(l) }
func (l list) Less(i, j int) bool { return leaf() < l[j] }
func (l list) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

func main() {
	p := &pair[string, int]{"a", 1}
	q := &pair[int, []string]{1, nil}
	method := p.wait
	expression := (*pair[string, int]).small
	var w waiter = embedded{p}
	var once sync.Once
	go outer()
	go closures()
	go deferred()
	go deferredLoop()
	go p.wait()
	go p.small()
	go q.wait()
	go method()
	go expression(p)
	go w.small()
	go embedded{p}.small()
	go apply([]int{1, 2}, func(int) { leaf() })
	go apply([]string{"x"}, func(string) { leaf() })
	go apply([]pair[string, error]{{}}, func(p pair[string, error]) { (&p).wait() })
	go other.Enter(func() { leaf() })
	go other.Generic(block)
	go once.Do(func() { leaf() })
	go variadic(1, 2, 3)
	go sort.Sort(list{3, 2, 1})
	go sort.Slice([]int{3, 2, 1}, func(i, j int) bool { return leaf() > 0 })
	go strings.Map(func(r rune) rune { leaf(); return r }, "text")
	go func(n int) { variadic(n); fmt.Println(n) }(4)
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"inlined\"\ncrash.goroutine = 1\n")
	func() {
		other.Enter(func() { panic("inlined") })
	}()
}
