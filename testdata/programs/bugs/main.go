// Thirty bugs, one by argument: what must have a fingerprint of its own, the same for every Go release
// and build (tests/oracle/test_grouping.py). Each fails in a way that releases name differently:
// closures, wrappers, inlining, generics, the runtime's own words.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"time"

	"example.com/bugs/early"
	"example.com/bugs/shop"
	"example.com/store/v2"
)

type cache struct{ entries map[string]int }

//go:noinline
func (c *cache) put(key string) { c.entries[key] = 1 }

type node struct{ left, right *node }

//go:noinline
func (n *node) depth() int { return 1 + n.left.right.depth() }

//go:noinline
func closureIndex(list []int) {
	outer := func(n int) {
		inner := func() { fmt.Println(list[n]) }
		inner()
	}
	outer(7)
}

func leaf(o *node) *node   { return o.left }
func twig(o *node) *node   { return leaf(o.right) }
func branch(o *node) *node { return twig(o.left) }

//go:noinline
func inlined() { fmt.Println(branch(&node{left: &node{}})) }

func deferredFunc() {
	defer func() {
		var closer func() error
		if err := closer(); err != nil {
			fmt.Println(err)
		}
	}()
	fmt.Println("working")
}

type file struct{ name string }

//go:noinline
func (f *file) close(flush bool, tries int) {
	if flush {
		panic(errors.New("close " + f.name + ": not flushed after " + fmt.Sprint(tries) + " tries"))
	}
}

//go:noinline
func deferWrapper() {
	f := &file{"journal"}
	defer f.close(true, os.Getpid())
	fmt.Println("writing")
}

//go:noinline
func share(total, people int) { fmt.Println(total / people) }

func goWrapper() {
	go share(os.Getpid(), len(os.Args)-2)
	time.Sleep(time.Minute)
}

//go:noinline
func describe(value interface{}) string { return strings.ToUpper(value.(fmt.Stringer).String()) }

//go:noinline
func assertion(value interface{}) int { return value.(int) }

//go:noinline
func stop(done chan struct{}) { close(done) }

func closeClosed() {
	done := make(chan struct{})
	stop(done)
	stop(done)
}

//go:noinline
func fetch(id int) {
	panic(&shop.Missing{ID: id, Name: fmt.Sprint("user", time.Now().UnixNano()), At: &shop.Order{ID: id}})
}

//go:noinline
func count(words map[string]int) {
	for i := 0; ; i++ {
		words["word"] = i
	}
}

func mapRace() {
	words := map[string]int{}
	go count(words)
	count(words)
}

type account struct {
	mu      sync.Mutex
	balance int
}

//go:noinline
func (a *account) move(to *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	a.balance, to.balance = 0, a.balance
}

func deadlock() {
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		one := &account{balance: 1}
		one.move(one)
	}()
	done.Wait()
}

//go:noinline
func unlock() { new(account).mu.Unlock() }

//go:noinline
func even(n int) bool { return n != 0 && odd(n+1) }

//go:noinline
func odd(n int) bool {
	var frame [64]int
	frame[n%64] = n
	return frame[n%7] == n+1 || even(n+1)
}

func overflow() {
	debug.SetMaxStack(1 << 20) // a small core
	odd(1)
}

//go:noinline
func sliceConversion(bytes []byte) { fmt.Println((*[4]byte)(bytes)) }

//go:noinline
func publish(events chan int, done chan struct{}) {
	select {
	case events <- 1:
	case <-done:
	}
}

func selectSend() {
	events := make(chan int)
	close(events)
	publish(events, nil)
}

type request struct{ path string }

//go:noinline
func protect(next func(*request)) func(*request) {
	return func(r *request) {
		defer func() {
			if err := recover(); err != nil {
				fmt.Println("serving", r.path, err)
				panic(err)
			}
		}()
		next(r)
	}
}

//go:noinline
func listUsers(r *request) { fmt.Println(r.path[len(r.path)-9:]) }

//go:noinline
func listGroups(r *request) { fmt.Println(r.path[len(r.path)-9:]) }

func serve(handler func(*request)) {
	done := make(chan bool)
	go func() {
		defer close(done)
		protect(handler)(&request{"/users"})
	}()
	<-done
}

//go:noinline
func run(f func() string) { fmt.Println(f()) }

type test struct {
	name string
	run  func()
}

// As testing.M and testing.T.Run do it: each in a goroutine, found in a table.
func testMain() {
	for _, one := range []test{{"works", func() {}}, {"fails", func() { run(shop.Checked(nil)) }}} {
		done := make(chan bool)
		go func(one test) {
			defer func() { done <- true }()
			one.run()
		}(one)
		<-done
	}
}

func sorted() {
	list := make([]*node, 40)
	sort.Slice(list, func(i, k int) bool { return list[i].left == list[k] })
}

//go:noinline
func wait(work chan int, id int) {
	if id == 17 { // the one that does not look like the others
		var nobody chan int
		nobody <- id
	}
	fmt.Println(<-work)
}

func hang() {
	work := make(chan int)
	for i := 0; i < 50; i++ {
		go wait(work, i)
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	time.Sleep(time.Minute)
}

var bugs = map[string]func(){
	"nil-map":          func() { new(cache).put("key") },
	"nil-deref":        func() { (&node{left: &node{}}).depth() },
	"closure-index":    func() { closureIndex([]int{1, 2, 3}) },
	"generic-method":   genericMethod,
	"generic-closure":  genericClosure,
	"deferred-func":    deferredFunc,
	"defer-wrapper":    deferWrapper,
	"go-wrapper":       goWrapper,
	"method-value":     func() { new(shop.Clerk).Start() },
	"inlined":          inlined,
	"promoted":         func() { shop.Pager(&shop.Ledger{Book: &shop.Book{}}).Page(3) },
	"value-receiver":   func() { shop.Price{}.Split() },
	"dependency":       func() { new(store.Table).Row(4) },
	"foreign-closure":  func() { store.Text(len(os.Args) + 1) },
	"callback":         func() { store.Each(9, func(i int) { fmt.Println(os.Args[i]) }) },
	"conversion":       func() { describe(3) },
	"assertion":        func() { assertion("text") },
	"close-closed":     closeClosed,
	"custom-error":     func() { fetch(os.Getpid()) },
	"map-race":         mapRace,
	"deadlock":         deadlock,
	"unlock":           unlock,
	"overflow":         overflow,
	"divide":           func() { share(1, len(bugsNone)) },
	"slice-conversion": func() { sliceConversion(make([]byte, 3)) },
	"select":           selectSend,
	"handler":          func() { serve(listUsers) },
	"other-handler":    func() { serve(listGroups) },
	"test-main":        testMain,
	"sorted":           sorted,
	"hang":             hang,
}

var bugsNone map[string]bool

func main() {
	if len(os.Args) > 1 && bugs[os.Args[1]] != nil {
		bugs[os.Args[1]]()
		time.Sleep(time.Second) // deferred calls of a panicking goroutine may have let us go on
	}
	fmt.Println("no bug", early.Limits)
}
