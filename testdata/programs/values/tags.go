package main

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"example.com/values/truth"
)

// Every variable, field and element below holds a number or a text that nothing else in the program
// holds: made of its name and of the goroutine's number. So a value that was read from the wrong
// place, or after its object was given to somebody else, betrays itself.

const copies = 4 // goroutines of each shape

type thing struct {
	tag  uint64
	name string
	next *thing
	data [2]uint64
}

type small struct {
	a uint8
	b uint16
	c uint32
	d uint64
}

// u is the 64-bit number of a name, never small and never like an address.
//
//go:noinline
func u(name string, i int) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(name + "#" + strconv.Itoa(i)) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h | 0xa5<<56
}

//go:noinline
func n(name string, i int) int { return int(u(name, i) >> 1) }

// s is on the heap: its bytes are somebody else's once nobody keeps it.
//
//go:noinline
func s(name string, i int) string { return "tag " + name + " of " + strconv.Itoa(i) }

//go:noinline
func p(name string, i int) *thing {
	last := &thing{tag: u(name+".next", i), name: s(name+".next", i)}
	return &thing{u(name, i), s(name, i), last, [2]uint64{u(name+".0", i), u(name+".1", i)}}
}

//go:noinline
func l(name string, i int) []uint64 {
	return append(make([]uint64, 0, 7), u(name+".0", i), u(name+".1", i), u(name+".2", i))
}

//go:noinline
func m(name string, i int) map[string]uint64 {
	return map[string]uint64{s(name+".a", i): u(name+".a", i), s(name+".b", i): u(name+".b", i)}
}

//go:noinline
func f64(name string, i int) float64 { return float64(u(name, i)>>12) / 3 }

//go:noinline
func few(name string, i int) small {
	tag := u(name, i)
	return small{uint8(tag), uint16(tag >> 8), uint32(tag >> 24), ^tag}
}

//go:noinline
func b(name string, i int) []byte { return append(make([]byte, 0, 40), s(name, i)...) }

type tagError struct{ tag uint64 }

func (e *tagError) Error() string { return strconv.FormatUint(e.tag, 10) }

//go:noinline
func e(name string, i int) error { return &tagError{u(name, i)} }

//go:noinline
func eat(values ...uint64) uint64 {
	sum := uint64(0)
	for _, v := range values {
		sum += v
	}
	return sum
}

// grow uses so much stack that everything above it moves.
//
//go:noinline
func grow(depth int) uint64 {
	var room [64]uint64
	if depth > 0 {
		room[depth%64] = grow(depth - 1)
	}
	return eat(room[:]...) + 0xbad
}

func see(p *uint64) uint64 { return *p ^ 1 }

//go:noinline
func look(p *[4]uint64) uint64 { return p[0] ^ p[3] }

var sink uint64

// Nothing is used after the wait: where a value is gone, a reason is the only true answer.
//
//go:noinline
func tagDead(i int, a, b uint64, text string, ptr *thing, list []uint64, table map[string]uint64, err error) {
	sink += a + b + uint64(len(text)+len(list)+len(table)) + ptr.tag + uint64(len(err.Error()))
	grow(60)
	park()
}

//go:noinline
func tagKept(i int, a, b uint64, text string, ptr *thing, list []uint64, table map[string]uint64, err error) {
	grow(60)
	park()
	use(i, a, b, text, ptr, list, table, err)
}

// Words past the registers lie in the caller's frame.
//
//go:noinline
func tagMany(i int, a, b, c, d, e, f, g, h, j, k, l uint64, text string, ptr *thing) {
	sink += a + b + c + d + e + f + g + h + j + k + l + uint64(len(text)) + ptr.tag
	grow(60)
	park()
}

// Slots of variables whose scope has ended are used again.
//
//go:noinline
func tagScopes(i int) {
	if i >= 0 {
		x, y := [4]uint64{u("scopes.x", i), 1, 2, u("scopes.x3", i)}, u("scopes.y", i)
		sink += look(&x) + eat(y)
	}
	if i >= 0 {
		x, z := [4]uint64{u("scopes.again", i), 3, 4, u("scopes.again3", i)}, u("scopes.z", i)
		sink += look(&x) + eat(z)
		grow(60)
		park()
		sink += look(&x) + eat(z)
	}
	if i >= 0 {
		w := u("scopes.w", i)
		sink += eat(w)
		park()
		sink += eat(w)
	}
}

//go:noinline
func tagReassigned(i int, a uint64, ptr *thing, text string) {
	v := u("reassigned.first", i)
	sink += eat(v, a) + ptr.tag + uint64(len(text))
	v, a = u("reassigned.v", i), u("reassigned.second", i)
	ptr, text = p("reassigned.other", i), s("reassigned.longer", i)
	grow(60)
	park()
	use(v, a, ptr, text)
}

//go:noinline
func tagReassignedDead(i int, a uint64, ptr *thing, text string) {
	v := u("reassigneddead.first", i)
	sink += eat(v, a) + ptr.tag + uint64(len(text))
	v, a = u("reassigneddead.v", i), u("reassigneddead.second", i)
	ptr, text = p("reassigneddead.other", i), s("reassigneddead.longer", i)
	sink += eat(v, a) + ptr.tag + uint64(len(text))
	grow(60)
	park()
}

//go:noinline
func tagLoop(i int, list []uint64) {
	total := uint64(0)
	for k, v := range list {
		total += v
		if k == 1 {
			grow(60)
			park()
		}
		sink += eat(v, uint64(k))
	}
	use(total, list)
}

//go:noinline
func tagResults(i int) (r uint64, text string, err error) {
	r, text, err = u("results.r", i), s("results.text", i), e("results.err", i)
	grow(60)
	park()
	return
}

//go:noinline
func slow(i int, a uint64) (uint64, *thing, error) {
	grow(60)
	park()
	return a, p("slow", i), nil
}

// What the call that waits would give is not there yet, nor is what comes after it.
//
//go:noinline
func tagPending(i int) {
	before := u("pending.before", i)
	x, ptr, err := slow(i, u("pending.a", i))
	after := u("pending.after", i)
	use(before, x, ptr, err, after)
}

//go:noinline
func tagDefer(i int, a uint64, ptr *thing) {
	b := u("defer.b", i)
	defer func() { sink += eat(a, b) + ptr.tag }()
	b = u("defer.b2", i)
	grow(60)
	park()
}

//go:noinline
func tagClosure(i int, a uint64, text string, ptr *thing) func() {
	changed := u("closure.first", i)
	f := func() {
		changed = u("closure.changed", i)
		truth.In(truth.Function(), 0, truth.Kept("i", i), truth.Kept("a", a), truth.Kept("text", s("closure.text", i)),
			truth.Kept("ptr", p("closure.ptr", i)), truth.Kept("changed", u("closure.changed", i)))
		grow(60)
		park()
		use(a, text, ptr, changed)
	}
	return f
}

// The closure's object is garbage once its variables were last used.
//
//go:noinline
func tagClosureDead(i int, a uint64, text string, ptr *thing) func() {
	return func() {
		truth.In(truth.Function(), 0, truth.Is("i", i), truth.Is("a", a), truth.Is("text", s("closuredead.text", i)),
			truth.Is("ptr", p("closuredead.ptr", i)))
		sink += eat(a, ptr.tag) + uint64(len(text))
		grow(60)
		park()
	}
}

//go:noinline
func (t *thing) tagMethod(i int, a uint64) {
	grow(60)
	park()
	use(t, a)
}

//go:noinline
func (v small) tagValue(i int, a uint64) {
	sink += eat(a, uint64(v.a))
	grow(60)
	park()
	use(v)
}

//go:noinline
func tagGeneric[T any](i int, value T, list []T, get func() T) {
	got := get()
	grow(60)
	park()
	use(value, list, got)
}

func inlined(i int, a uint64, ptr *thing) uint64 {
	b := a ^ 0xffff
	park()
	return b + ptr.tag
}

//go:noinline
func tagInline(i int, a uint64, ptr *thing) {
	grow(60)
	first := u("inline.first", i)
	sink += inlined(i, a, ptr)
	use(first)
}

//go:noinline
func tagDeep(depth, i int, a uint64, text string) uint64 {
	own := u("deep.own"+strconv.Itoa(depth), i)
	if depth == 0 {
		grow(60)
		park()
		return a
	}
	r := tagDeep(depth-1, i, u("deep.a"+strconv.Itoa(depth-1), i), s("deep.text"+strconv.Itoa(depth-1), i))
	return r + own + a + uint64(len(text))
}

// The pointers stay in the frame, the objects do not: they are freed and used again.
//
//go:noinline
func tagFreed(i int) {
	ptr, list, text, table := p("freed.ptr", i), l("freed.list", i), s("freed.text", i), m("freed.table", i)
	err, any := e("freed.err", i), interface{}(p("freed.any", i))
	c := make(chan uint64, 3)
	c <- u("freed.c", i)
	function := tagClosureDead(i, u("freed.function", i), s("freed.captured", i), ptr)
	use(ptr, list, text, table, err, any, c, function)
	grow(60)
	park()
}

// Half of an object's owners are gone, one is not.
//
//go:noinline
func tagShared(i int, ptr *thing) {
	next, name := ptr.next, ptr.name
	use(next, name)
	grow(60)
	park()
	use(ptr)
}

//go:noinline
func tagStack(i int) {
	array := [4]uint64{u("stack.0", i), u("stack.1", i), u("stack.2", i), u("stack.3", i)}
	ptr, one := &array, &array[1]
	sink += look(ptr) + see(one)
	grow(60)
	park()
	sink += look(ptr) + see(one)
}

//go:noinline
func sum(ptr *thing, list []uint64, table map[string]uint64, any interface{}, f func() uint64) uint64 {
	number, _ := any.(uint64)
	return ptr.tag + list[0] + table["a"] + number + f()
}

// What these point to never leaves the stack, and is used after the wait.
//
//go:noinline
func tagOnStack(i int) {
	ptr := &thing{tag: u("onstack.ptr", i), data: [2]uint64{u("onstack.0", i), u("onstack.1", i)}}
	list := []uint64{u("onstack.list0", i), u("onstack.list1", i)}
	table := map[string]uint64{"a": u("onstack.a", i)}
	any := interface{}(u("onstack.any", i))
	captured := u("onstack.captured", i)
	f := func() uint64 { return captured }
	grow(60)
	park()
	sink += sum(ptr, list, table, any, f)
}

// Pointers into the stack that are dead when the stack moves are not mended.
//
//go:noinline
func tagStackDead(i int) {
	array := [4]uint64{u("stackdead.0", i), u("stackdead.1", i), u("stackdead.2", i), u("stackdead.3", i)}
	ptr, one := &array, &array[1]
	slice := array[1:3]
	sink += look(ptr) + see(one) + eat(slice...)
	grow(60)
	park()
	sink += array[2]
}

//go:noinline
func tagFloats(i int, a float64, b float32, c complex128, d float64) {
	sink += uint64(a + float64(b) + real(c))
	grow(60)
	park()
	use(d)
}

//go:noinline
func tagSmall(i int, a uint8, b uint16, c uint32, d bool, e small, f [1]uint64) {
	sink += uint64(a) + uint64(b) + uint64(c) + e.d + f[0]
	if d {
		sink++
	}
	grow(60)
	park()
	use(c, e)
}

//go:noinline
func tagAny(i int, number, word, pointer interface{}, err error) {
	sink += uint64(len(err.Error()))
	grow(60)
	park()
	use(number, word, pointer)
}

//go:noinline
func tagSelect(i int, in chan uint64, out chan thing, value *thing) {
	grow(60)
	select {
	case v, ok := <-in:
		use(v, ok)
	case out <- *value:
	case <-time.After(time.Hour):
	}
	use(value)
}

//go:noinline
func tagSend(i int, out chan uint64, a uint64) {
	grow(60)
	out <- a
}

//go:noinline
func tagLock(i int, mu *sync.Mutex, a uint64, ptr *thing) {
	grow(60)
	mu.Lock()
	defer mu.Unlock()
	use(a, ptr)
}

//go:noinline
func tagSleep(i int, d time.Duration, a uint64) {
	grow(60)
	time.Sleep(d)
	sink += a
}

//go:noinline
func tagWait(i int, group *sync.WaitGroup, a uint64) {
	grow(60)
	group.Wait()
	sink += a
}

//go:noinline
func tagRead(i, fd int, a uint64, buffer []byte) {
	grow(60)
	count, err := syscall.Read(fd, buffer)
	use(count, err, a)
}

//go:noinline
func tagPhi(i int) {
	var v uint64
	var ptr *thing
	if i%2 == 0 {
		v = u("phi.even", i)
		ptr = p("phi.evenptr", i)
	} else {
		v = u("phi.odd", i)
	}
	grow(60)
	park()
	use(v, ptr)
}

//go:noinline
func tagVariadic(i int, values ...uint64) {
	sink += eat(values...)
	grow(60)
	park()
	use(values)
}

//go:noinline
func tagRange(i int, table map[string]uint64) {
	for k, v := range table {
		grow(60)
		park()
		use(k, v)
	}
}

//go:noinline
func tagSwitch(i int, value interface{}) {
	switch x := value.(type) {
	case uint64:
		sink += x
	case *thing:
		grow(60)
		park()
		use(x)
	case string:
		sink += uint64(len(x))
	}
}

//go:noinline
func tagEscaped(i int) {
	x, text := u("escaped.x", i), s("escaped.text", i)
	go func() { park(); x++; text += "." }()
	grow(60)
	park()
	use(x, text)
}

// The variables live on the heap, but only until they are last used.
//
//go:noinline
func tagEscapedDead(i int) {
	x, big := u("escapeddead.x", i), [9]uint64{u("escapeddead.0", i), 8: u("escapeddead.8", i)}
	use(&x, &big)
	grow(60)
	park()
}

// Waits in a deferred function, during a panic.
//
//go:noinline
func tagPanic(i int, a uint64) {
	defer func() {
		r := recover()
		truth.In(truth.Function(), 0, truth.Is("i", i), truth.Kept("r", interface{}(e("panic.r", i))))
		grow(60)
		park()
		use(r)
	}()
	if sink != 1 {
		panic(e("panic.r", i))
	}
	sink += a
}

//go:noinline
func tagSpin(i int, a, b uint64) {
	turns := uint64(0)
	for sink != a {
		turns += b
	}
	use(turns)
}

//go:noinline
func tagWide(i int, big [12]uint64, rest struct{ a, b, c, d, e uint64 }) {
	sink += big[i] + rest.e
	grow(60)
	park()
	sink += big[11] + rest.a
}

func twelve(name string, i int) (r [12]uint64) {
	for k := range r {
		r[k] = u(fmt.Sprint(name, k), i)
	}
	return r
}

func times(f func(i int)) {
	for i := 0; i < copies; i++ {
		i := i
		hold(func() { f(i) })
	}
}

// tags starts every shape; each goroutine first prints what its frames will hold.
func tags() {
	times(func(i int) {
		truth.In("main.tagDead", 0, truth.Is("i", i), truth.Is("a", u("dead.a", i)), truth.Is("b", u("dead.b", i)),
			truth.Is("text", s("dead.text", i)), truth.Is("ptr", p("dead.ptr", i)), truth.Is("list", l("dead.list", i)),
			truth.Is("table", m("dead.table", i)), truth.Is("err", e("dead.err", i)))
		tagDead(i, u("dead.a", i), u("dead.b", i), s("dead.text", i), p("dead.ptr", i), l("dead.list", i), m("dead.table", i), e("dead.err", i))
	})
	times(func(i int) {
		truth.In("main.tagKept", 0, truth.Kept("i", i), truth.Kept("a", u("kept.a", i)), truth.Kept("b", u("kept.b", i)),
			truth.Kept("text", s("kept.text", i)), truth.Kept("ptr", p("kept.ptr", i)), truth.Kept("list", l("kept.list", i)),
			truth.Kept("table", m("kept.table", i)), truth.Kept("err", e("kept.err", i)))
		tagKept(i, u("kept.a", i), u("kept.b", i), s("kept.text", i), p("kept.ptr", i), l("kept.list", i), m("kept.table", i), e("kept.err", i))
	})
	times(func(i int) {
		w := twelve("many", i)
		facts := []truth.Fact{truth.Is("i", i), truth.Is("text", s("many.text", i)), truth.Is("ptr", p("many.ptr", i))}
		for k, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "j", "k", "l"} {
			facts = append(facts, truth.Is(name, w[k]))
		}
		truth.In("main.tagMany", 0, facts...)
		tagMany(i, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], s("many.text", i), p("many.ptr", i))
	})
	times(func(i int) {
		truth.In("main.tagScopes", 0, truth.Is("i", i), truth.Kept("x", [4]uint64{u("scopes.again", i), 3, 4, u("scopes.again3", i)}),
			truth.Kept("z", u("scopes.z", i)), truth.Absent("y"), truth.Absent("w"))
		tagScopes(i)
	})
	times(func(i int) {
		truth.In("main.tagReassigned", 0, truth.Is("i", i), truth.Kept("a", u("reassigned.second", i)), truth.Kept("v", u("reassigned.v", i)),
			truth.Kept("ptr", p("reassigned.other", i)), truth.Kept("text", s("reassigned.longer", i)))
		tagReassigned(i, u("reassigned.a", i), p("reassigned.ptr", i), s("reassigned.text", i))
	})
	times(func(i int) {
		truth.In("main.tagReassignedDead", 0, truth.Is("i", i), truth.Is("a", u("reassigneddead.second", i)), truth.Is("v", u("reassigneddead.v", i)),
			truth.Is("ptr", p("reassigneddead.other", i)), truth.Is("text", s("reassigneddead.longer", i)))
		tagReassignedDead(i, u("reassigneddead.a", i), p("reassigneddead.ptr", i), s("reassigneddead.text", i))
	})
	times(func(i int) {
		list := l("loop.list", i)
		truth.In("main.tagLoop", 0, truth.Is("i", i), truth.Kept("list", list), truth.Kept("k", 1), truth.Kept("v", list[1]), truth.Kept("total", list[0]+list[1]))
		tagLoop(i, list)
	})
	times(func(i int) {
		truth.In("main.tagResults", 0, truth.Is("i", i), truth.Kept("r", u("results.r", i)), truth.Kept("text", s("results.text", i)), truth.Kept("err", e("results.err", i)))
		use(tagResults(i))
	})
	times(func(i int) {
		truth.In("main.tagPending", 0, truth.Is("i", i), truth.Kept("before", u("pending.before", i)), truth.Absent("x"), truth.Absent("ptr"), truth.Absent("err"), truth.Absent("after"))
		truth.In("main.slow", 0, truth.Kept("i", i), truth.Kept("a", u("pending.a", i)), truth.Absent("~r0"), truth.Absent("~r1"), truth.Absent("~r2"), truth.Absent("~r3"), truth.Absent("~r4"))
		tagPending(i)
	})
	times(func(i int) {
		truth.In("main.tagDefer", 0, truth.Is("i", i), truth.Kept("a", u("defer.a", i)), truth.Kept("b", u("defer.b2", i)), truth.Is("ptr", p("defer.ptr", i)))
		tagDefer(i, u("defer.a", i), p("defer.ptr", i))
	})
	times(func(i int) { tagClosure(i, u("closure.a", i), s("closure.text", i), p("closure.ptr", i))() })
	times(func(i int) {
		tagClosureDead(i, u("closuredead.a", i), s("closuredead.text", i), p("closuredead.ptr", i))()
	})
	times(func(i int) {
		truth.In("main.(*thing).tagMethod", 0, truth.Is("i", i), truth.Kept("a", u("method.a", i)), truth.Kept("t", p("method.t", i)))
		wait := p("method.t", i).tagMethod
		wait(i, u("method.a", i))
	})
	times(func(i int) {
		truth.In("main.small.tagValue", 0, truth.Is("i", i), truth.Is("a", u("value.a", i)), truth.Kept("v", few("value.v", i)))
		few("value.v", i).tagValue(i, u("value.a", i))
	})
	tagsGeneric()
	times(func(i int) {
		a := u("inline.a", i)
		truth.In("main.tagInline", 0, truth.Is("i", i), truth.Is("a", a), truth.Kept("ptr", p("inline.ptr", i)), truth.Kept("first", u("inline.first", i)))
		truth.In("main.inlined", 0, truth.Is("i", i), truth.Is("a", a), truth.Is("ptr", p("inline.ptr", i)), truth.Is("b", a^0xffff), truth.Absent("~r0"), truth.Absent("~r3"))
		tagInline(i, a, p("inline.ptr", i))
	})
	times(func(i int) {
		for depth := 9; depth >= 0; depth-- {
			k := strconv.Itoa(depth)
			truth.In("main.tagDeep", 9-depth, truth.Is("depth", depth), truth.Is("i", i), truth.Is("a", u("deep.a"+k, i)),
				truth.Is("text", s("deep.text"+k, i)), truth.Is("own", u("deep.own"+k, i)), truth.Absent("r"), truth.Absent("~r0"), truth.Absent("~r4"))
		}
		tagDeep(9, i, u("deep.a9", i), s("deep.text9", i))
	})
	times(func(i int) {
		c := make(chan uint64, 3)
		c <- 0
		truth.In("main.tagFreed", 0, truth.Ring("c", c, u("freed.c", i)),
			truth.Closure("function", tagClosureDead(i, 0, "", nil), truth.Is("i", i), truth.Is("a", u("freed.function", i)),
				truth.Is("text", s("freed.captured", i)), truth.Is("ptr", p("freed.ptr", i))), truth.Is("i", i), truth.Is("ptr", p("freed.ptr", i)), truth.Is("list", l("freed.list", i)), truth.Is("text", s("freed.text", i)),
			truth.Is("table", m("freed.table", i)), truth.Is("err", e("freed.err", i)), truth.Is("any", interface{}(p("freed.any", i))))
		tagFreed(i)
	})
	times(func(i int) {
		whole := p("shared.ptr", i)
		truth.In("main.tagShared", 0, truth.Is("i", i), truth.Kept("ptr", whole), truth.Is("next", whole.next), truth.Is("name", whole.name))
		tagShared(i, p("shared.ptr", i))
	})
	tagsMore()
}

func tagsGeneric() {
	times(func(i int) {
		get := func() uint64 { return u("generic.got", i) }
		truth.In("main.tagGeneric[...]", 0, truth.Is("get", get), truth.Is("i", i), truth.Kept("value", u("generic.value", i)), truth.Kept("list", l("generic.list", i)), truth.Kept("got", u("generic.got", i)))
		tagGeneric(i, u("generic.value", i), l("generic.list", i), get)
	})
	times(func(i int) {
		get := func() *thing { return p("genericptr.got", i) }
		list := []*thing{p("genericptr.0", i), nil}
		truth.In("main.tagGeneric[...]", 0, truth.Is("get", get), truth.Is("i", i), truth.Kept("value", p("genericptr.value", i)), truth.Kept("list", list), truth.Kept("got", p("genericptr.got", i)))
		tagGeneric(i, p("genericptr.value", i), []*thing{p("genericptr.0", i), nil}, get)
	})
	times(func(i int) {
		get := func() small { return few("genericfew.got", i) }
		truth.In("main.tagGeneric[...]", 0, truth.Is("get", get), truth.Is("i", i), truth.Kept("value", few("genericfew.value", i)), truth.Kept("list", []small{few("genericfew.0", i)}), truth.Kept("got", few("genericfew.got", i)))
		tagGeneric(i, few("genericfew.value", i), []small{few("genericfew.0", i)}, get)
	})
}

func tagsMore() {
	times(func(i int) {
		array := [4]uint64{u("stack.0", i), u("stack.1", i), u("stack.2", i), u("stack.3", i)}
		truth.In("main.tagStack", 0, truth.Is("i", i), truth.Kept("array", array), truth.Is("ptr", &array), truth.Is("one", &array[1]))
		tagStack(i)
	})
	onStack()
	times(func(i int) {
		array := [4]uint64{u("stackdead.0", i), u("stackdead.1", i), u("stackdead.2", i), u("stackdead.3", i)}
		truth.In("main.tagStackDead", 0, truth.Is("i", i), truth.Is("array", array), truth.Is("ptr", &array), truth.Is("one", &array[1]), truth.Is("slice", array[1:3]))
		tagStackDead(i)
	})
	times(func(i int) {
		a, b, d := f64("floats.a", i), float32(f64("floats.b", i)), f64("floats.d", i)
		c := complex(f64("floats.real", i), f64("floats.imag", i))
		truth.In("main.tagFloats", 0, truth.Is("i", i), truth.Is("a", a), truth.Is("b", b), truth.Is("c", c), truth.Kept("d", d))
		tagFloats(i, a, b, c, d)
	})
	times(func(i int) {
		w := few("small.w", i)
		truth.In("main.tagSmall", 0, truth.Is("i", i), truth.Is("a", w.a), truth.Is("b", w.b), truth.Kept("c", w.c), truth.Is("d", i%2 == 0), truth.Kept("e", few("small.e", i)), truth.Is("f", [1]uint64{w.d}))
		tagSmall(i, w.a, w.b, w.c, i%2 == 0, few("small.e", i), [1]uint64{w.d})
	})
	times(func(i int) {
		number, word, pointer := interface{}(u("any.number", i)), interface{}(s("any.word", i)), interface{}(p("any.pointer", i))
		truth.In("main.tagAny", 0, truth.Is("i", i), truth.Kept("number", number), truth.Kept("word", word), truth.Kept("pointer", pointer), truth.Is("err", e("any.err", i)))
		tagAny(i, interface{}(u("any.number", i)), interface{}(s("any.word", i)), interface{}(p("any.pointer", i)), e("any.err", i))
	})
	times(func(i int) {
		in, out, value := make(chan uint64), make(chan thing), p("select.value", i)
		truth.In("main.tagSelect", 0, truth.Is("i", i), truth.Is("in", in), truth.Is("out", out), truth.Kept("value", value), truth.Absent("v"), truth.Absent("ok"))
		tagSelect(i, in, out, p("select.value", i))
	})
	times(func(i int) {
		out := make(chan uint64)
		truth.In("main.tagSend", 0, truth.Is("i", i), truth.Is("out", out), truth.Is("a", u("send.a", i)))
		tagSend(i, out, u("send.a", i))
	})
	times(func(i int) {
		mu := &sync.Mutex{}
		mu.Lock()
		truth.In("main.tagLock", 0, truth.Is("i", i), truth.Any("mu"), truth.Kept("a", u("lock.a", i)), truth.Kept("ptr", p("lock.ptr", i)))
		tagLock(i, mu, u("lock.a", i), p("lock.ptr", i))
	})
	times(func(i int) {
		d := time.Hour + time.Duration(u("sleep.d", i)>>24)
		truth.In("main.tagSleep", 0, truth.Is("i", i), truth.Is("d", d), truth.Kept("a", u("sleep.a", i)))
		truth.In("time.Sleep", 0, truth.Is("ns", int64(d)), truth.Any("gp"), truth.Any("t"), truth.Any("when"))
		tagSleep(i, d, u("sleep.a", i))
	})
	times(func(i int) {
		group := &sync.WaitGroup{}
		group.Add(1)
		truth.In("main.tagWait", 0, truth.Is("i", i), truth.Any("group"), truth.Kept("a", u("wait.a", i)))
		tagWait(i, group, u("wait.a", i))
	})
	times(func(i int) {
		var pipe [2]int
		if err := syscall.Pipe(pipe[:]); err != nil {
			panic(err)
		}
		buffer := b("read.buffer", i)
		truth.In("main.tagRead", 0, truth.Is("i", i), truth.Is("fd", pipe[0]), truth.Kept("a", u("read.a", i)), truth.Is("buffer", buffer), truth.Absent("count"), truth.Absent("err"))
		truth.In("syscall.Read", 0, truth.Is("fd", pipe[0]), truth.Is("p", buffer), truth.Is("n", 0), truth.Is("err", error(nil)))
		tagRead(i, pipe[0], u("read.a", i), b("read.buffer", i))
	})
	times(func(i int) {
		v, ptr := u("phi.even", i), p("phi.evenptr", i)
		if i%2 != 0 {
			v, ptr = u("phi.odd", i), nil
		}
		truth.In("main.tagPhi", 0, truth.Is("i", i), truth.Kept("v", v), truth.Kept("ptr", ptr))
		tagPhi(i)
	})
	times(func(i int) {
		truth.In("main.tagVariadic", 0, truth.Is("i", i), truth.Kept("values", []uint64{u("variadic.0", i), u("variadic.1", i)}))
		tagVariadic(i, u("variadic.0", i), u("variadic.1", i))
	})
	times(func(i int) {
		table := map[string]uint64{s("range.k", i): u("range.v", i)}
		truth.In("main.tagRange", 0, truth.Is("i", i), truth.Is("table", table), truth.Kept("k", s("range.k", i)), truth.Kept("v", u("range.v", i)))
		tagRange(i, map[string]uint64{s("range.k", i): u("range.v", i)})
	})
	times(func(i int) {
		truth.In("main.tagSwitch", 0, truth.Is("i", i), truth.Is("value", interface{}(p("switch.value", i))), truth.Kept("x", p("switch.value", i)))
		tagSwitch(i, p("switch.value", i))
	})
	times(func(i int) {
		truth.In("main.tagEscaped", 0, truth.Is("i", i), truth.Kept("x", u("escaped.x", i)), truth.Kept("text", s("escaped.text", i)))
		tagEscaped(i)
	})
	times(func(i int) {
		truth.In("main.tagEscapedDead", 0, truth.Is("i", i), truth.Is("x", u("escapeddead.x", i)), truth.Is("big", [9]uint64{u("escapeddead.0", i), 8: u("escapeddead.8", i)}))
		tagEscapedDead(i)
	})
	times(func(i int) {
		truth.In("main.tagPanic", 0, truth.Is("i", i), truth.Is("a", u("panic.a", i)))
		tagPanic(i, u("panic.a", i))
	})
	times(func(i int) {
		big := twelve("wide", i)
		rest := struct{ a, b, c, d, e uint64 }{u("wide.a", i), u("wide.b", i), u("wide.c", i), u("wide.d", i), u("wide.e", i)}
		truth.In("main.tagWide", 0, truth.Is("i", i), truth.Kept("big", big), truth.Kept("rest", rest))
		tagWide(i, big, rest)
	})
}

func onStack() {
	times(func(i int) {
		captured := u("onstack.captured", i)
		truth.In("main.tagOnStack", 0, truth.Is("i", i), truth.Kept("ptr", &thing{tag: u("onstack.ptr", i), data: [2]uint64{u("onstack.0", i), u("onstack.1", i)}}),
			truth.Kept("list", []uint64{u("onstack.list0", i), u("onstack.list1", i)}), truth.Kept("table", map[string]uint64{"a": u("onstack.a", i)}),
			truth.Kept("any", interface{}(u("onstack.any", i))), truth.Is("captured", captured), truth.Any("f"))
		tagOnStack(i)
	})
}

// spinning goroutines are started last: they keep a processor each.
func spinning() {
	for i := 0; i < 2; i++ {
		i := i
		ready := make(chan bool)
		go func() {
			truth.In("main.tagSpin", 0, truth.Is("i", i), truth.Is("a", u("spin.a", i)), truth.Is("b", u("spin.b", i)), truth.Any("turns"))
			ready <- true
			tagSpin(i, u("spin.a", i), u("spin.b", i))
		}()
		<-ready
	}
}

// churn frees what nobody keeps, gives its memory to others, and moves stacks.
func churn() {
	kept := make([]interface{}, 0, 1<<16)
	for round := 0; round < 3; round++ {
		runtime.GC()
		for i := 0; i < 20000; i++ {
			switch i % 8 {
			case 0:
				kept = append(kept, &thing{tag: 0xdeadbeefdeadbeef, name: "churned"})
			case 1:
				kept = append(kept, &[7]uint64{0xdeadbeef00000001, 0xdeadbeef00000002, math.MaxUint64})
			case 2:
				kept = append(kept, "churned text "+strconv.Itoa(i))
			case 3:
				kept = append(kept, &tagError{0xdeadbeef})
			case 4:
				kept = append(kept, map[string]uint64{"churned": uint64(i)})
			case 5:
				c := make(chan uint64, 3)
				c <- 0xdeadbeef00000005
				kept = append(kept, c)
			case 6:
				j := uint64(i)
				kept = append(kept, func() uint64 { return j })
			case 7:
				kept = append(kept, &[9]uint64{0xdeadbeef00000007})
			}
		}
		if round == 1 {
			kept = kept[:0]
		}
		for i := 0; i < 50; i++ {
			done := make(chan bool)
			go func() { grow(100); done <- true }()
			<-done
		}
	}
	gChurn = kept
}

var gChurn []interface{}
