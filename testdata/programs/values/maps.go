package main

import (
	"math"
	"strconv"

	"example.com/values/truth"
)

type (
	wideKey   [20]uint64 // past 128 bytes a map keeps pointers to its keys
	wideValue struct{ words [17]uint64 }
)

// filled has the entries 0 … count-1, put in one by one.
func filled(count int) map[int]string {
	m := map[int]string{}
	for i := 0; i < count; i++ {
		m[i] = "v" + strconv.Itoa(i)
	}
	return m
}

func holdMaps() {
	var none map[string]int
	empty := truth.Opaque(map[string]int{})
	small := map[string]int{"one": 1, "two": 2, "": 0}
	full := filled(8)
	// One more than a table takes before it grows, for both kinds of map: half moved, if at all.
	nine, g14, g29, g53, g105, g209 := filled(9), filled(14), filled(29), filled(53), filled(105), filled(209)
	// Past 1024 slots a Swiss map has several tables behind its directory.
	large := filled(3000)
	sized := make(map[uint8]bool, 100)
	sized[7] = true
	deleted := filled(200)
	for i := 0; i < 200; i += 2 {
		delete(deleted, i)
	}
	emptied := filled(50)
	for i := range emptied {
		delete(emptied, i)
	}
	truth.Say("none", none)
	truth.Keep("empty", empty)
	truth.Keep("small", small)
	truth.Keep("full", full)
	truth.Keep("nine", nine)
	truth.Keep("g14", g14)
	truth.Keep("g29", g29)
	truth.Keep("g53", g53)
	truth.Keep("g105", g105)
	truth.Keep("g209", g209)
	truth.Keep("sized", sized)
	truth.Keep("deleted", deleted)
	truth.Keep("emptied", emptied)
	truth.Keep("large", large)
	park()
	use(none, empty, small, full, nine, g14, g29, g53, g105, g209, sized, deleted, emptied, large)
}

func holdKeys() {
	floats := map[float64]string{math.NaN(): "n1", math.NaN(): "n2", math.Inf(1): "inf", 0: "zero", -2.5: "minus"}
	anys := map[interface{}]interface{}{1: "int", "1": "string", 1.5: nil, point{1, 2}: point{3, 4}, [2]bool{true}: []int{1}, nil: 0}
	errs := map[error]int{&failure{1, "a"}: 1, code(2): 2, nil: 3}
	wide := map[wideKey]wideValue{{1, 2}: {[17]uint64{16: 3}}, {19: 4}: {}}
	pointers := map[*point]*point{{1, 2}: {3, 4}, nil: nil}
	channels := map[chan int]bool{never: true, make(chan int): false}
	nested := map[string]map[string][]int{"a": {"b": {1, 2}}, "c": nil}
	sets := map[string]struct{}{"x": {}, "y": {}}
	bytes := map[byte]byte{0: 255, 255: 0}
	arrays := map[[3]byte]string{{1, 2, 3}: "abc"}
	truths := map[bool]bool{true: false, false: true}
	complexes := map[complex128]complex64{1 + 2i: 3}
	funcs := map[string]func(int) int{"double": double, "none": nil}
	itself := map[string]interface{}{"n": 1}
	itself["self"] = itself
	strings := map[myString]pair[int8, string]{"k": {1, "v"}, "\xff": {2, "\x00"}}
	truth.Keep("floats", floats)
	truth.Keep("anys", anys)
	truth.Keep("errs", errs)
	truth.Keep("wide", wide)
	truth.Keep("pointers", pointers)
	truth.Keep("channels", channels)
	truth.Keep("nested", nested)
	truth.Keep("sets", sets)
	truth.Keep("bytes", bytes)
	truth.Keep("arrays", arrays)
	truth.Keep("truths", truths)
	truth.Keep("complexes", complexes)
	truth.Keep("funcs", funcs)
	truth.Keep("itself", itself)
	truth.Keep("strings", strings)
	park()
	use(floats, anys, errs, wide, pointers, channels, nested, sets, bytes, arrays, truths, complexes, funcs, itself, strings)
}
