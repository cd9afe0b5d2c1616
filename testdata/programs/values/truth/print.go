// Package truth prints what the program's variables hold, in the form in which a snapshot shows
// them, one line `name = JSON` each, before the program crashes:
//
//	v.N = {"g": goroutine, "f": function, "n": variable, "v": value, …}   what a variable holds
//	o.N = {"at": address, "v": value}                                    what a pointer points to
//
// A pointer's target stands apart, by address and type, so that cycles end and a test can follow
// it as deep as the snapshot does.
package truth

import (
	"container/list"
	"encoding/hex"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

const (
	maxDepth    = 9    // pointers followed, and levels of one object
	maxBytes    = 1024 // of a string
	maxElements = 400  // of a slice, array, map
)

// A node is one value; SNAPSHOT's member names where they mean the same.
type node map[string]interface{}

type printer struct {
	addresses bool // false: the value is a copy, so its pointers differ
	depth     int  // pointers above what is being written
	queue     []object
}

type object struct {
	key   string
	v     reflect.Value
	depth int
}

var objects = map[string]bool{} // those that are written, or queued

// root writes a value, and then whatever it points to, nearest first.
func (p *printer) root(v reflect.Value) node {
	n := p.value(v, 0)
	for len(p.queue) > 0 {
		next := p.queue[0]
		p.queue, p.depth = p.queue[1:], next.depth
		emit("o", node{"at": next.key, "v": p.value(next.v, 0)})
	}
	return n
}

func hexed(word uintptr) string { return "0x" + strconv.FormatUint(uint64(word), 16) }

func text(bytes string) node {
	n := node{"length": len(bytes)}
	if len(bytes) > maxBytes {
		bytes, n["cut"] = bytes[:maxBytes], true
	}
	if utf8.ValidString(bytes) {
		n["value"] = bytes
	} else {
		n["hex"] = hex.EncodeToString([]byte(bytes))
	}
	return n
}

var kinds = map[reflect.Kind]string{
	reflect.Bool: "bool", reflect.String: "string", reflect.Array: "array", reflect.Slice: "slice",
	reflect.Map: "map", reflect.Chan: "chan", reflect.Struct: "struct", reflect.Ptr: "pointer",
	reflect.Interface: "interface", reflect.Func: "func", reflect.UnsafePointer: "unsafe-pointer",
}

// word is the first word of an addressable value: what a string, slice, func holds.
func word(v reflect.Value) uintptr { return *(*uintptr)(unsafe.Pointer(v.UnsafeAddr())) }

func (p *printer) scalar(v reflect.Value, n node) {
	switch v.Kind() {
	case reflect.Bool:
		n["value"] = v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n["kind"], n["value"] = "int", strconv.FormatInt(v.Int(), 10)
	case reflect.Float32, reflect.Float64:
		n["kind"], n["value"] = "float", strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
		n["bits"] = v.Type().Bits()
	case reflect.Complex64, reflect.Complex128:
		c, bits := v.Complex(), v.Type().Bits()/2
		n["kind"], n["bits"] = "complex", bits
		n["real"] = strconv.FormatFloat(real(c), 'g', -1, bits)
		n["imaginary"] = strconv.FormatFloat(imag(c), 'g', -1, bits)
	default:
		n["kind"], n["value"] = "uint", strconv.FormatUint(v.Uint(), 10)
	}
}

// at notes the word that a value holds, where that is the same in the variable itself.
func (p *printer) at(n node, pointer uintptr) {
	if p.addresses {
		n["pointer"] = hexed(pointer)
	}
}

func (p *printer) list(v reflect.Value, n node, depth int) {
	count := v.Len()
	n["length"] = count
	if v.Type().Elem().Kind() == reflect.Uint8 {
		bytes := make([]byte, count)
		for i := range bytes {
			bytes[i] = byte(v.Index(i).Uint())
		}
		n["bytes"] = text(string(bytes))
		return
	}
	if count > maxElements {
		count, n["cut"] = maxElements, true
	}
	elements := make([]node, 0, count)
	for i := 0; i < count; i++ {
		elements = append(elements, p.value(v.Index(i), depth+1))
	}
	n["elements"] = elements
}

func (p *printer) entries(v reflect.Value, n node, depth int) {
	entries := []node{}
	for each := v.MapRange(); each.Next(); {
		entries = append(entries, node{"key": p.value(each.Key(), depth+1),
			"value": p.value(each.Value(), depth+1)})
	}
	n["length"], n["entries"] = v.Len(), entries
	p.at(n, v.Pointer())
}

func (p *printer) fields(v reflect.Value, n node, depth int) {
	fields := make([]node, 0, v.NumField())
	for i := 0; i < v.NumField(); i++ {
		fields = append(fields, node{"name": v.Type().Field(i).Name, "value": p.value(v.Field(i), depth+1)})
	}
	n["fields"] = fields
}

func (p *printer) target(v reflect.Value, n node, depth int) {
	p.at(n, v.Pointer())
	if !p.addresses {
		n["target"] = p.value(v.Elem(), depth+1)
		return
	}
	key := hexed(v.Pointer()) + " " + v.Elem().Type().String()
	n["object"] = key
	if !objects[key] && p.depth < maxDepth {
		objects[key] = true
		p.queue = append(p.queue, object{key, v.Elem(), p.depth + 1})
	}
}

func (p *printer) function(v reflect.Value, n node) {
	if f := runtime.FuncForPC(v.Pointer()); f != nil {
		n["function"] = f.Name()
	}
	if v.CanAddr() {
		p.at(n, word(v))
	}
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Chan, reflect.Ptr, reflect.Interface, reflect.Func, reflect.UnsafePointer:
		return v.IsNil()
	}
	return false
}

func (p *printer) value(v reflect.Value, depth int) node {
	n := node{"type": v.Type().String(), "kind": kinds[v.Kind()]}
	if depth > maxDepth {
		n["cut"] = true
		return n
	}
	natural(v, n)
	if isNil(v) {
		n["nil"] = true
		return n
	}
	switch v.Kind() {
	case reflect.String:
		for key, value := range text(v.String()) {
			n[key] = value
		}
	case reflect.Slice:
		n["capacity"] = v.Cap()
		p.at(n, v.Pointer())
		p.list(v, n, depth)
	case reflect.Array:
		p.list(v, n, depth)
	case reflect.Map:
		p.entries(v, n, depth)
	case reflect.Chan:
		n["length"], n["capacity"] = v.Len(), v.Cap()
		p.at(n, v.Pointer())
	case reflect.Struct:
		p.fields(v, n, depth)
	case reflect.Ptr:
		p.target(v, n, depth)
	case reflect.Interface:
		n["dynamic_type"], n["dynamic_value"] = v.Elem().Type().String(), p.value(v.Elem(), depth+1)
	case reflect.Func:
		p.function(v, n)
	case reflect.UnsafePointer:
		p.at(n, v.Pointer())
	default:
		p.scalar(v, n)
	}
	return n
}

// natural adds the form in which a person would write a well-known type.
func natural(v reflect.Value, n node) {
	if !v.CanInterface() || isNil(v) {
		return
	}
	if text, ok := written(v.Interface()); ok {
		n["texts"] = []string{text}
	} else if v.CanAddr() && v.Kind() == reflect.Struct {
		if text, ok := written(v.Addr().Interface()); ok {
			n["texts"] = []string{text}
		}
	}
}

func written(v interface{}) (string, bool) {
	switch x := v.(type) {
	case error:
		if reflect.ValueOf(v).Kind() == reflect.Ptr && reflect.ValueOf(v).IsNil() {
			return "", false
		}
		return x.Error(), true
	case *http.Request:
		return x.Method + " " + x.URL.String(), true
	case *http.Response:
		return x.Status, true
	case *list.List:
		return strconv.Itoa(x.Len()) + " elements", true
	case fmt.Stringer:
		kind := reflect.TypeOf(v)
		if kind.Kind() == reflect.Ptr {
			kind = kind.Elem()
		}
		if kind.PkgPath() != "main" && !isNil(reflect.ValueOf(v)) {
			return x.String(), true
		}
	}
	return "", false
}
