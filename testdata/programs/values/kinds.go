package main

import (
	"math"
	"runtime"
	"strings"
	"unsafe"

	"example.com/values/truth"
)

type (
	myInt    int32
	myString string
	point    struct{ X, Y int32 }
	inner    struct {
		name string
		at   point
	}
	outer struct {
		inner
		*point
		myInt
		_     int
		Flags [3]bool
		any   interface{}
		list  []inner
		next  *outer
		empty struct{}
		f     func(int) int
	}
	shaper interface{ area() int }
	square struct{ side int }
	link   struct {
		n    int
		next *link
	}
	tree struct {
		left, right, up *tree
		value           string
	}
	pair[K comparable, V any] struct {
		Key   K
		Value V
	}
	stack[T any] struct {
		items []T
		top   *T
	}
)

func (s square) area() int { return s.side * s.side }

// park blocks for ever; it is where most of these goroutines wait.
//
//go:noinline
func park() { <-never }

var never chan int

func holdScalars() {
	b, no := truth.Opaque(true), truth.Opaque(false)
	i8, i16, i32, i64 := truth.Opaque(int8(-8)), truth.Opaque(int16(-1616)), truth.Opaque(int32(-323232)), truth.Opaque(int64(math.MinInt64))
	u8, u16, u32, u64 := truth.Opaque(uint8(200)), truth.Opaque(uint16(65535)), truth.Opaque(uint32(4000000000)), truth.Opaque(uint64(math.MaxUint64))
	i, u, word := truth.Opaque(1<<53+1), truth.Opaque(uint(1<<53-1)), truth.Opaque(uintptr(0xfeed))
	letter, named := truth.Opaque('ß'), truth.Opaque(myInt(-7))
	truth.Keep("b", b)
	truth.Keep("no", no)
	truth.Keep("i8", i8)
	truth.Keep("i16", i16)
	truth.Keep("i32", i32)
	truth.Keep("i64", i64)
	truth.Keep("u8", u8)
	truth.Keep("u16", u16)
	truth.Keep("u32", u32)
	truth.Keep("u64", u64)
	truth.Keep("i", i)
	truth.Keep("u", u)
	truth.Keep("word", word)
	truth.Keep("letter", letter)
	truth.Keep("named", named)
	park()
	use(b, no, i8, i16, i32, i64, u8, u16, u32, u64, i, u, word, letter, named)
}

// use keeps what it is given until it is called.
//
//go:noinline
func use(values ...interface{}) { runtime.KeepAlive(values) }

func holdFloats() {
	f32, f64 := truth.Opaque(float32(0.1)), truth.Opaque(math.Pi)
	nan, inf, minus, tiny := truth.Opaque(math.NaN()), truth.Opaque(math.Inf(1)), truth.Opaque(math.Inf(-1)), truth.Opaque(5e-324)
	zero, huge := truth.Opaque(math.Copysign(0, -1)), truth.Opaque(math.MaxFloat64)
	c64, c128 := truth.Opaque(complex64(complex(1.5, -2))), truth.Opaque(complex(math.Inf(-1), 0.1))
	truth.Keep("f32", f32)
	truth.Keep("f64", f64)
	truth.Keep("nan", nan)
	truth.Keep("inf", inf)
	truth.Keep("minus", minus)
	truth.Keep("tiny", tiny)
	truth.Keep("zero", zero)
	truth.Keep("huge", huge)
	truth.Keep("c64", c64)
	truth.Keep("c128", c128)
	park()
	use(f32, f64, nan, inf, minus, tiny, zero, huge, c64, c128)
}

func holdStrings() {
	empty, short := truth.Opaque(""), truth.Opaque("short")
	text := truth.Opaque("äöü \"quoted\" \\ back, 日本語, 🙂")
	control := truth.Opaque("a\tb\nc\x00d\x1b[31m\u202e")
	broken := truth.Opaque("ok\xff\xfe\xc3(")
	long := strings.Repeat("0123456789abcdef", 4096)
	cut := strings.Repeat("ä", 300)
	named := truth.Opaque(myString("named"))
	part := long[16:32]
	data, none, nothing := []byte("bytes\x00\xff"), []byte{}, []byte(nil)
	runes := []rune("rün€")
	spare := append(make([]byte, 0, 64), "spare"...)
	truth.Keep("empty", empty)
	truth.Keep("short", short)
	truth.Keep("text", text)
	truth.Keep("control", control)
	truth.Keep("broken", broken)
	truth.Keep("long", long)
	truth.Keep("cut", cut)
	truth.Keep("named", named)
	truth.Keep("part", part)
	truth.Keep("data", data)
	truth.Keep("none", none)
	truth.Say("nothing", nothing)
	truth.Keep("runes", runes)
	truth.Keep("spare", spare)
	park()
	use(empty, short, text, control, broken, long, cut, named, part, data, none, nothing, runes, spare)
}

func holdLists() {
	var nilSlice []int
	empty := truth.Opaque([]string{})
	ints := truth.Opaque([]int{1, -2, 3})
	part := append(make([]int16, 0, 10), 7, 8, 9, 10)[1:3]
	words := []string{"one", "", "drei\xff"}
	nested := [][]string{{"a"}, nil, {}, {"b", "c"}}
	structs := []inner{{"x", point{1, 2}}, {"y", point{-3, 4}}}
	pointers := []*point{{5, 6}, nil, {7, 8}}
	anys := []interface{}{1, "two", 3.5, nil, []int{4}, map[string]int{"k": 5}, point{6, 7}, &point{8, 9}, error(nil), struct{}{}}
	many := make([]int64, 5000)
	for i := range many {
		many[i] = int64(i) << 40
	}
	array := truth.Opaque([4]uint16{1, 2, 3, 65535})
	matrix := truth.Opaque([2][3]float32{{1, 2, 3}, {4, 5, 6}})
	nobody := truth.Opaque([0]int{})
	big := truth.Opaque([300]int32{0: 1, 63: 64, 64: 65, 299: 300})
	bytes := truth.Opaque([5]byte{'h', 'e', 'l', 'l', 'o'})
	units := truth.Opaque(make([]struct{}, 7))
	truth.Say("nilSlice", nilSlice)
	truth.Keep("empty", empty)
	truth.Keep("ints", ints)
	truth.Keep("part", part)
	truth.Keep("words", words)
	truth.Keep("nested", nested)
	truth.Keep("structs", structs)
	truth.Keep("pointers", pointers)
	truth.Keep("anys", anys)
	truth.Keep("many", many)
	truth.Keep("array", array)
	truth.Keep("matrix", matrix)
	truth.Say("nobody", nobody)
	truth.Keep("big", big)
	truth.Keep("bytes", bytes)
	truth.Keep("units", units)
	park()
	use(nilSlice, empty, ints, part, words, nested, structs, pointers, anys, many, array, matrix, nobody, big, bytes, units)
}

func holdStructs() {
	at := truth.Opaque(point{3, -4})
	one := truth.Opaque(struct{ only *int }{new(int)})
	blank := truth.Opaque(struct {
		a byte
		_ [3]byte
		b uint32
	}{a: 1, b: 2})
	full := outer{inner: inner{"emb", point{1, 2}}, point: &point{9, 8}, myInt: 77, Flags: [3]bool{true, false, true},
		any: square{5}, list: []inner{{"l0", point{}}}, f: double}
	full.next = &outer{myInt: 78}
	self := &outer{myInt: 79}
	self.next, self.any = self, self
	unit := truth.Opaque(struct{}{})
	generic := truth.Opaque(pair[string, []int]{"k", []int{1, 2}})
	nested := truth.Opaque(pair[pair[int8, bool], *pair[string, error]]{pair[int8, bool]{-1, true}, &pair[string, error]{"e", nil}})
	items := stack[point]{items: []point{{1, 1}, {2, 2}}}
	items.top = &items.items[1]
	truth.Keep("at", at)
	truth.Keep("one", one)
	truth.Keep("blank", blank)
	truth.Keep("full", full)
	truth.Keep("self", self)
	truth.Say("unit", unit)
	truth.Keep("generic", generic)
	truth.Keep("nested", nested)
	truth.Keep("items", items)
	park()
	use(at, one, blank, full, self, unit, generic, nested, items)
}

//go:noinline
func double(n int) int { return 2 * n }

func chain(length int) *link {
	var first *link
	for n := length; n > 0; n-- {
		first = &link{n, first}
	}
	return first
}

func holdPointers() {
	number := truth.Opaque(new(int))
	*number = 4711
	to := &number
	toTo := &to
	deep := chain(30)
	ring := chain(3)
	ring.next.next.next = ring
	root := &tree{value: "root"}
	root.left, root.right = &tree{value: "left", up: root}, &tree{value: "right", up: root}
	array := &[3]string{"p", "q", "r"}
	inside := &array[1]
	slice := &[]int{1, 2}
	table := &map[string]int{"a": 1}
	raw := unsafe.Pointer(array)
	var none *point
	var nilRaw unsafe.Pointer
	unit := &struct{}{}
	sameA, sameB := &point{1, 2}, (*point)(nil)
	sameB = sameA
	truth.Keep("number", number)
	truth.Say("to", to)
	truth.Keep("toTo", toTo)
	truth.Keep("deep", deep)
	truth.Keep("ring", ring)
	truth.Keep("root", root)
	truth.Keep("array", array)
	truth.Keep("inside", inside)
	truth.Keep("slice", slice)
	truth.Keep("table", table)
	truth.Keep("raw", raw)
	truth.Say("none", none)
	truth.Say("nilRaw", nilRaw)
	truth.Keep("unit", unit)
	truth.Keep("sameA", sameA)
	truth.Keep("sameB", sameB)
	park()
	use(number, toTo, deep, ring, root, array, inside, slice, table, raw, none, nilRaw, unit, sameA, sameB)
}

type failure struct {
	code int
	why  string
}

func (f *failure) Error() string { return f.why }

type code uint8

func (c code) Error() string { return "code" }

func holdInterfaces() {
	var none interface{}
	var noError error
	var nilInside error = (*failure)(nil)
	number := truth.Opaque[interface{}](42)
	zero := truth.Opaque[interface{}](0)
	word := truth.Opaque[interface{}]("boxed")
	real := truth.Opaque[interface{}](2.5)
	flag := truth.Opaque[interface{}](true)
	small := truth.Opaque[interface{}](point{1, 2})
	pointer := truth.Opaque[interface{}](&point{3, 4})
	slice := truth.Opaque[interface{}]([]string{"a", "b"})
	table := truth.Opaque[interface{}](map[int]string{1: "one"})
	array := truth.Opaque[interface{}]([1]*int{new(int)})
	function := truth.Opaque[interface{}](double)
	channel := truth.Opaque[interface{}](make(chan string, 3))
	direct := truth.Opaque[interface{}](struct{ p *point }{&point{5, 6}})
	typed := truth.Opaque[shaper](square{7})
	failed := truth.Opaque[error](&failure{5, "it failed"})
	coded := truth.Opaque[error](code(9))
	generic := truth.Opaque[interface{}](pair[string, int]{"g", 1})
	nested := truth.Opaque[interface{}](&stack[pair[string, *int]]{})
	local := truth.Opaque[interface{}](struct{ A, b int }{1, 2})
	rawType := truth.Opaque[interface{}](unsafe.Pointer(&never))
	c128 := truth.Opaque[interface{}](complex(1, 2))
	truth.Say("none", none)
	truth.Say("noError", noError)
	truth.Keep("nilInside", nilInside)
	truth.Keep("number", number)
	truth.Keep("zero", zero)
	truth.Keep("word", word)
	truth.Keep("real", real)
	truth.Keep("flag", flag)
	truth.Keep("small", small)
	truth.Keep("pointer", pointer)
	truth.Keep("slice", slice)
	truth.Keep("table", table)
	truth.Keep("array", array)
	truth.Keep("function", function)
	truth.Keep("channel", channel)
	truth.Keep("direct", direct)
	truth.Keep("typed", typed)
	truth.Keep("failed", failed)
	truth.Keep("coded", coded)
	truth.Keep("generic", generic)
	truth.Keep("nested", nested)
	truth.Keep("local", local)
	truth.Keep("rawType", rawType)
	truth.Keep("c128", c128)
	park()
	use(none, noError, nilInside, number, zero, word, real, flag, small, pointer, slice, table, array, function,
		channel, direct, typed, failed, coded, generic, nested, local, rawType, c128)
}

func holdFuncs() {
	var none func()
	plain := truth.Opaque(double)
	offset, name := truth.Opaque(40), truth.Opaque("captured")
	changing := truth.Opaque(1)
	closure := truth.Opaque(func(n int) string { changing++; return name[:offset+n+changing] })
	method := truth.Opaque(square{3}.area)
	expression := truth.Opaque(square.area)
	truth.Say("none", none)
	truth.Keep("plain", plain)
	truth.More(truth.Closure("closure", closure, truth.Is("offset", offset), truth.Is("name", name), truth.Is("changing", changing)))
	truth.Keep("method", method)
	truth.Keep("expression", expression)
	truth.Say("offset", offset)
	truth.Say("name", name)
	truth.Say("changing", changing)
	park()
	use(none, plain, closure, method, expression)
}

//go:noinline
func holdGeneric[K comparable, V any](key K, value V, both pair[K, V]) {
	table := map[K]V{key: value}
	list := []V{value, value}
	pointer := &both
	truth.Say("key", key)
	truth.Say("value", value)
	truth.Say("both", both)
	truth.Keep("table", table)
	truth.Keep("list", list)
	truth.Keep("pointer", pointer)
	park()
	use(table, list, pointer)
}

func kinds() {
	hold(holdScalars)
	hold(holdFloats)
	hold(holdStrings)
	hold(holdLists)
	hold(holdStructs)
	hold(holdPointers)
	hold(holdInterfaces)
	hold(holdFuncs)
	hold(func() { holdGeneric("key", 7, pair[string, int]{"a", 1}) })
	hold(func() { holdGeneric(int8(3), &point{1, 2}, pair[int8, *point]{4, nil}) })
	hold(func() { holdGeneric(point{1, 2}, []string{"v"}, pair[point, []string]{point{3, 4}, nil}) })
}
