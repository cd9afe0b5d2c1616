// Builds a graph of every kind of object that the collector scans in its own way, and prints what the
// collector itself found alive: HeapObjects and the objects of each size class, right after a cycle.
// Then it makes garbage, of which a core's reader must not count a thing as alive.
package main

import (
	"container/list"
	"context"
	"reflect"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Sizes that the runtime itself hardly uses: what lives of them is known exactly.
type node352 struct { // its bits in the span
	left, right *node352
	pad         [35]int64
	any         interface{}
	text        string
	last        *node352
	more        [2]int64
}

type node1152 struct { // its type in a header
	pad  [69]int64 // and room for it
	next *node1152
	tail [72]int64
	last *small
}

type node9472 struct {
	first *small
	pad   [1179]int64
	next  *node9472
	tail  [2]int64
}

type small struct {
	next *small
	n    int
}

type pair struct {
	p *small
	n int
}

type deep struct {
	a [3]pair
	b struct {
		c [2][]int
		d map[string]*small
		e func() int
		f chan *small
		g interface{}
	}
}

const (
	nodes = 3000
	waste = 1000
)

var (
	keep    []interface{}
	chain   *small
	large   []*small
	array   *[5000]*small
	structs []pair
	stats   runtime.MemStats
	sink    interface{}
	buffer  [8192]byte
)

func tree(n int) *node352 {
	var root *node352
	for i := 0; i < n; i++ {
		root = &node352{left: root, any: &small{n: i}, text: strconv.Itoa(i + 100000), last: nil}
		if root.left != nil {
			root.right, root.left = root.left, nil
			root.last = root.right
		}
	}
	return root
}

func headers(n int) *node1152 {
	var first *node1152
	for i := 0; i < n; i++ {
		first = &node1152{next: first, last: &small{n: i}}
	}
	return first
}

func larger(n int) *node9472 {
	var first *node9472
	for i := 0; i < n; i++ {
		first = &node9472{next: first, first: &small{n: i}}
	}
	return first
}

func mixed(n int) {
	d := &deep{}
	for i := range d.a {
		d.a[i].p = &small{n: i}
	}
	d.b.c[1] = make([]int, 33)
	d.b.d = map[string]*small{}
	for i := 0; i < n; i++ {
		d.b.d["key"+strconv.Itoa(i)] = &small{n: i}
	}
	x := new(int)
	d.b.e = func() int { return *x }
	d.b.f = make(chan *small, 10)
	for i := 0; i < 7; i++ {
		d.b.f <- &small{n: i}
	}
	d.b.g = &pair{p: &small{}}
	keep = append(keep, d)
}

func reflected() {
	t := reflect.ArrayOf(777, reflect.TypeOf((*small)(nil)))
	v := reflect.New(t)
	for i := 0; i < 777; i++ {
		v.Elem().Index(i).Set(reflect.ValueOf(&small{n: i}))
	}
	s := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "N", Type: reflect.TypeOf(0)}, {Name: "A", Type: t}, {Name: "P", Type: reflect.TypeOf((*small)(nil))}}))
	s.Elem().Field(2).Set(reflect.ValueOf(&small{}))
	keep = append(keep, v.Interface(), s.Interface())
}

func finalized() {
	for i := 0; i < 50; i++ {
		p := &pair{p: &small{n: i}}
		inner := &small{n: i}
		runtime.SetFinalizer(p, func(*pair) { sink = inner })
		keep = append(keep, p)
	}
}

//go:noinline
func fill() {
	chain = nil
	for i := 0; i < nodes; i++ {
		chain = &small{next: chain, n: i}
	}
	large = make([]*small, 100000)
	for i := 0; i < len(large); i += 10 {
		large[i] = &small{n: i}
	}
	structs = make([]pair, 40000)
	for i := 0; i < len(structs); i += 40 {
		structs[i].p = &small{n: i}
	}
	array = new([5000]*small)
	for i := range array {
		array[i] = &small{n: i}
	}
	l := list.New()
	for i := 0; i < 500; i++ {
		l.PushBack(&small{n: i})
	}
	keep = append(keep, tree(nodes), headers(nodes), larger(nodes/10), l,
		make([]byte, 3200), make([]byte, 100000), [4]string{"a", "b"}, &[3][]*small{{&small{}}, nil, {nil, &small{}}})
	mixed(300)
	reflected()
	finalized()
	attached()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	keep = append(keep, ctx, cancel)
}

//go:noinline
func garbage() {
	for i := 0; i < waste; i++ {
		sink = tree(1)
		sink = headers(1)
		sink = &small{n: i}
	}
	sink = larger(20)
	sink = make([]*small, 5000)
	sink = nil
}

// A variable whose address is taken, on a stack, leads to objects that nothing else does.
//
//go:noinline
func hold(ready, stop chan bool) {
	var local struct {
		pad [3]int
		p   *node352
	}
	take(&local.p)
	ready <- true
	<-stop
	sink = local.p
}

//go:noinline
func take(p **node352) { *p = tree(10) }

func line(at int, name string, n uint64) int {
	at += copy(buffer[at:], name)
	at += copy(buffer[at:], " = ")
	at = len(strconv.AppendUint(buffer[:at], n, 10))
	buffer[at] = '\n'
	return at + 1
}

var names [70]string

func main() {
	ready, stop := make(chan bool), make(chan bool)
	fill()
	go hold(ready, stop)
	<-ready
	garbage()
	for i := range stats.BySize {
		runtime.ReadMemStats(&stats)
		names[i] = "class.n" + strconv.Itoa(int(stats.BySize[i].Size))
	}
	for i := 0; i < 3; i++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond) // finalizers and the sweepers come to rest
	}
	runtime.GC()
	runtime.ReadMemStats(&stats)
	at := line(0, "heap.objects", stats.HeapObjects)
	at = line(at, "heap.bytes", stats.HeapAlloc)
	at = line(at, "nodes.n352", nodes+10)
	at = line(at, "nodes.n1152", nodes)
	at = line(at, "nodes.n9472", nodes/10)
	for i, class := range stats.BySize {
		if class.Size > 0 {
			at = line(at, names[i], class.Mallocs-class.Frees)
		}
	}
	garbage()
	at += copy(buffer[at:], "ready\n")
	syscall.Write(1, buffer[:at])
	for {
		time.Sleep(time.Hour)
	}
}
