// Panics in the main goroutine with a value of the kind that its argument names.
package main

import (
	"errors"
	"fmt"
	"os"
)

type code int

type name string

type point struct{ x, y int }

type color struct{ r, g, b uint8 }

func (c color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

type failure struct {
	op  string
	err error
}

func (f *failure) Error() string { return f.op + ": " + f.err.Error() }

type kind struct {
	value   interface{}
	message string // as the runtime prints it; empty: not the same in every release or run
}

var kinds = map[string]kind{
	"error":     {errors.New("boom: 42"), "boom: 42"},
	"wrapped":   {&failure{"open", fmt.Errorf("no %s: %w", "file", os.ErrNotExist)}, "open: no file: file does not exist"},
	"stringer":  {color{255, 128, 0}, "#ff8000"},
	"struct":    {point{3, 4}, ""},
	"pointer":   {&point{3, 4}, ""},
	"int":       {42, "42"},
	"code":      {code(7), "main.code(7)"},
	"string":    {"out of cheese", "out of cheese"},
	"name":      {name("bob"), `main.name("bob")`},
	"multiline": {"first line\ngoroutine 99 [running]:\nmain.fake()\n\tfake.go:1", "first line\ngoroutine 99 [running]:\nmain.fake()\n\tfake.go:1"},
	"float":     {2.5, ""},
	"bool":      {true, "true"},
	"nil":       {nil, ""},
	"binary":    {"bad \xff\x00 bytes", ""},
	"long":      {fmt.Sprintf("%0300d", 7), fmt.Sprintf("%0300d", 7)},
}

//go:noinline
func fail(value interface{}) {
	panic(value)
}

func main() {
	which := "error"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	k, ok := kinds[which]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such kind:", which)
		os.Exit(2)
	}
	fmt.Printf("crash.kind = \"panic\"\ncrash.goroutine = 1\n")
	if k.message != "" {
		fmt.Printf("crash.message = %q\n", k.message)
	}
	fail(k.value)
}
