package truth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"time"
)

var (
	mu    sync.Mutex
	out   = bufio.NewWriterSize(os.Stdout, 1<<20)
	count int
)

func emit(kind string, n node) {
	line, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	count++
	fmt.Fprintf(out, "%s.%d = %s\n", kind, count, line)
}

// Flush writes out all that was said; the program may crash then.
func Flush() {
	mu.Lock()
	defer mu.Unlock()
	out.Flush()
}

// Goroutine is the id of the goroutine that calls it.
func Goroutine() int {
	var buffer [64]byte
	fields := bytes.Fields(buffer[:runtime.Stack(buffer[:], false)])
	id, _ := strconv.Atoi(string(fields[1]))
	return id
}

// caller is the function, an inlined one too, `skip` frames above the one that calls this.
func caller(skip int) string {
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(skip+2, pcs[:])])
	frame, _ := frames.Next()
	return frame.Function
}

// Function is the name of the function that calls it.
func Function() string { return caller(1) }

func say(n node, fact Fact, addresses bool) {
	p := printer{addresses: addresses}
	if fact.v.IsValid() {
		v := p.root(fact.v)
		p.details(fact, v)
		n["v"] = v
	}
	emit("v", n)
}

// Say prints a variable of the caller's that may be gone once the goroutine waits.
//
//go:noinline
func Say[T any](name string, v T) {
	g, f := Goroutine(), caller(1)
	mu.Lock()
	defer mu.Unlock()
	say(node{"g": g, "f": f, "n": name}, Is("", v), true)
}

// Keep prints a variable of the caller's that is used after the wait, so every build must show it.
//
//go:noinline
func Keep[T any](name string, v T) {
	g, f := Goroutine(), caller(1)
	mu.Lock()
	defer mu.Unlock()
	say(node{"g": g, "f": f, "n": name, "keep": true}, Is("", v), true)
}

// More prints facts of the caller's about variables whose pointers stay as they are.
//
//go:noinline
func More(facts ...Fact) {
	g, f := Goroutine(), caller(1)
	mu.Lock()
	defer mu.Unlock()
	for _, fact := range facts {
		say(node{"g": g, "f": f, "n": fact.name, "keep": true}, fact, true)
	}
}

// Global prints a package-level variable, which never moves.
func Global[T any](name string, v *T) {
	mu.Lock()
	defer mu.Unlock()
	say(node{"n": name, "global": true, "keep": true, "address": hexed(reflect.ValueOf(v).Pointer())},
		Fact{v: reflect.ValueOf(v).Elem()}, true)
}

// A Waiter is a goroutine in a channel's queue; Value is what it would send.
type Waiter struct {
	G     int
	Value interface{}
}

// Channel prints what reflect cannot know of a channel: its elements in order, and who waits.
func Channel[T any](c chan T, closed bool, elements []T, senders []Waiter, receivers []int) {
	list, sending, receiving := []interface{}{}, []node{}, []node{}
	for _, element := range elements {
		list = append(list, Of(element))
	}
	for _, waiter := range senders {
		sending = append(sending, node{"goroutine": waiter.G, "value": Of(waiter.Value.(T))})
	}
	for _, waiter := range receivers {
		receiving = append(receiving, node{"goroutine": waiter})
	}
	mu.Lock()
	defer mu.Unlock()
	emit("c", node{"at": hexed(reflect.ValueOf(c).Pointer()), "length": len(c), "capacity": cap(c), "closed": closed,
		"element_type": reflect.TypeOf(c).Elem().String(), "elements": list, "send_queue": sending, "receive_queue": receiving})
}

// Start runs f in a goroutine and returns its id once it waits for something.
func Start(f func()) int {
	id := make(chan int, 1)
	go func() {
		id <- Goroutine()
		f()
	}()
	g := <-id
	for !waits(g) {
		time.Sleep(100 * time.Microsecond)
	}
	return g
}

var stacks = make([]byte, 8<<20)

// waits: the goroutine stands where f wants it to. Before that it may wait for the collector's help
// ("GC assist wait"), or for somebody else who prints.
func waits(g int) bool {
	head := []byte("goroutine " + strconv.Itoa(g) + " [")
	text := stacks[:runtime.Stack(stacks, true)]
	at := bytes.Index(text, head)
	if at < 0 {
		panic(fmt.Sprintf("goroutine %d is gone", g))
	}
	text = text[at+len(head):]
	if end := bytes.Index(text, []byte("\n\n")); end >= 0 {
		text = text[:end]
	}
	for _, state := range []string{"runn", "GC ", "preempted", "copystack"} {
		if bytes.HasPrefix(text, []byte(state)) {
			return false
		}
	}
	return bytes.Count(text, []byte("/truth.")) == bytes.Count(text, []byte("/truth.Start"))
}

// Note prints a fact under a name of its own.
func Note(name string, v interface{}) {
	mu.Lock()
	defer mu.Unlock()
	line, _ := json.Marshal(v)
	fmt.Fprintf(out, "%s = %s\n", name, line)
}

// Of is a value's form, for Note and More.
func Of[T any](v T) interface{} {
	mu.Lock()
	defer mu.Unlock()
	p := printer{addresses: true}
	return p.root(reflect.ValueOf(&v).Elem())
}

// A Fact is what one variable of a function holds while a goroutine waits in it.
type Fact struct {
	name, mark string
	v          reflect.Value
	text       string        // its natural form
	elements   []interface{} // a channel's
	captured   []Fact        // a closure's
}

// Is: a variable holds something equal to v. It need not be shown, but nothing else may be.
func Is[T any](name string, v T) Fact { return Fact{name: name, v: reflect.ValueOf(&v).Elem()} }

// Kept is Is for a variable that is used after the wait.
func Kept[T any](name string, v T) Fact {
	return Fact{name: name, mark: "keep", v: reflect.ValueOf(&v).Elem()}
}

// Absent: nothing is assigned to the variable yet, so that no value of it can be true.
func Absent(name string) Fact { return Fact{name: name, mark: "absent"} }

// Any: the variable changes all the time; whatever is shown is not looked at.
func Any(name string) Fact { return Fact{name: name, mark: "any"} }

// Ring is Is for a channel, with the elements that it holds.
func Ring[T any](name string, c chan T, elements ...T) Fact {
	fact := Is(name, c)
	for _, element := range elements {
		fact.elements = append(fact.elements, element)
	}
	return fact
}

// Closure is Is for a function value, with the variables that it captured.
func Closure[T any](name string, f T, captured ...Fact) Fact {
	fact := Is(name, f)
	fact.captured = captured
	return fact
}

// Natural is Is with the value's natural form.
func Natural[T any](name string, v T, text string) Fact {
	fact := Is(name, v)
	fact.text = text
	return fact
}

// details adds what reflect cannot know.
func (p *printer) details(fact Fact, n node) {
	if fact.text != "" {
		n["texts"] = []string{fact.text}
	}
	if fact.elements != nil {
		elements := []node{}
		for i := range fact.elements {
			elements = append(elements, p.value(reflect.ValueOf(&fact.elements[i]).Elem().Elem(), 1))
		}
		n["elements"] = elements
	}
	if fact.captured != nil {
		captured := node{}
		for _, one := range fact.captured {
			captured[one.name] = p.value(one.v, 1)
		}
		n["captured"] = captured
	}
}

// In prints the facts of one frame of the goroutine that calls it: the depth-th one of that
// function, counted from the outermost.
func In(function string, depth int, facts ...Fact) {
	g := Goroutine()
	mu.Lock()
	defer mu.Unlock()
	for _, fact := range facts {
		n := node{"g": g, "f": function, "n": fact.name, "depth": depth}
		if fact.mark != "" {
			n[fact.mark] = true
		}
		say(n, fact, false)
	}
}

// Opaque is v, but the compiler does not know it.
//
//go:noinline
func Opaque[T any](v T) T { return v }
