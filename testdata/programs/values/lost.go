package main

import (
	"io"

	"example.com/values/truth"
)

// Shapes in which the compiler's tables say too little of a variable, or too much.

// Only the length of each is assigned, and to a constant: that is nowhere until it is used.
//
//go:noinline
func tagCut(i int, text string, list []uint64, data []uint64) {
	grow(60)
	sink += uint64(len(text)) + eat(list...) + eat(data...)
	text, list, data = text[:3], list[:1], data[:0]
	park()
	use(text, list, data)
}

//go:noinline
func flagged(flag bool, half uint16, word uint32, d *[2]uint64) {
	park()
	if flag {
		sink += uint64(half) + uint64(word)
	}
}

// What is passed on is in registers; the callee keeps it, and less than a word of some of it.
//
//go:noinline
func tagFlags(i int, flag bool, half uint16, word uint32, ptr *thing) {
	grow(60)
	tagPassed(i, flag, half, word, ptr)
	use(ptr)
}

//go:noinline
func tagPassed(i int, flag bool, half uint16, word uint32, ptr *thing) {
	flagged(flag, half, word, &ptr.data)
}

// A pointer that has two names; the one that is asked for is lost.
//
//go:noinline
func tagMoved(i int, ptr *thing, a uint64) {
	for k := range ptr.data {
		if ptr.data[k] == a {
			ptr = ptr.next
			break
		}
	}
	grow(60)
	park()
	use(ptr, a)
}

type waiting struct{ tag uint64 }

//go:noinline
func (w *waiting) Read(p []byte) (n int, err error) {
	grow(60)
	park()
	return len(p), nil
}

//go:noinline
func tagReader(i int, r io.Reader, buffer []byte) {
	n, err := io.ReadAtLeast(r, buffer, 11)
	use(n, err)
}

//go:noinline
func tagLimited(i int, r io.Reader, buffer []byte) {
	l := &io.LimitedReader{R: r, N: 13}
	n, err := l.Read(buffer)
	use(n, err, l)
}

func lost() {
	times(func(i int) {
		truth.In("main.tagCut", 0, truth.Is("i", i), truth.Is("text", "tag"), truth.Is("list", l("cut.list", i)[:1]), truth.Is("data", l("cut.data", i)[:0]))
		tagCut(i, s("cut.text", i), l("cut.list", i), l("cut.data", i))
	})
	times(func(i int) {
		w, ptr := few("flags", i), p("flags.ptr", i)
		facts := []truth.Fact{truth.Is("flag", i%2 == 0), truth.Is("half", w.b), truth.Is("word", w.c)}
		truth.In("main.tagFlags", 0, append(facts, truth.Is("i", i), truth.Kept("ptr", ptr))...)
		truth.In("main.tagPassed", 0, append(facts, truth.Is("i", i), truth.Is("ptr", ptr))...)
		truth.In("main.flagged", 0, append(facts, truth.Is("d", &ptr.data))...)
		tagFlags(i, i%2 == 0, w.b, w.c, p("flags.ptr", i))
	})
	times(func(i int) {
		whole := p("moved.ptr", i)
		truth.In("main.tagMoved", 0, truth.Is("i", i), truth.Is("k", 1), truth.Kept("ptr", whole.next), truth.Is("a", whole.data[1]))
		tagMoved(i, p("moved.ptr", i), whole.data[1])
	})
	times(func(i int) {
		r, buffer := io.Reader(&waiting{u("reader.r", i)}), b("reader.buffer", i)
		truth.In("main.tagReader", 0, truth.Is("i", i), truth.Is("r", r), truth.Is("buffer", buffer), truth.Absent("n"), truth.Absent("err"))
		truth.In("io.ReadAtLeast", 0, truth.Is("r", r), truth.Is("buf", buffer), truth.Is("min", 11), truth.Is("n", 0), truth.Is("err", error(nil)), truth.Is("nn", 0))
		tagReader(i, &waiting{u("reader.r", i)}, b("reader.buffer", i))
	})
	times(func(i int) {
		r, buffer := io.Reader(&waiting{u("limited.r", i)}), b("limited.buffer", i)
		truth.In("main.tagLimited", 0, truth.Is("i", i), truth.Is("r", r), truth.Is("buffer", buffer), truth.Is("l", &io.LimitedReader{R: r, N: 13}), truth.Absent("n"), truth.Absent("err"))
		truth.In("io.(*LimitedReader).Read", 0, truth.Is("l", &io.LimitedReader{R: r, N: 13}), truth.Is("p", buffer[:13]), truth.Is("n", 0), truth.Is("err", error(nil)))
		tagLimited(i, &waiting{u("limited.r", i)}, b("limited.buffer", i))
	})
}
