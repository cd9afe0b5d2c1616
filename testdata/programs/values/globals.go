package main

import "example.com/values/truth"

var (
	gInt        = 42
	gString     = "global"
	gSlice      = []string{"a", "b"}
	gMap        = map[string]int{"x": 1}
	gStruct     = outer{inner: inner{"g", point{1, 2}}, myInt: 3}
	gPointer    = &gStruct
	gError      error
	gAnything   interface{} = pair[string, int]{"p", 1}
	gArray                  = [3]point{{1, 2}, {3, 4}}
	gFunc                   = double
	gZero       uint64
	gBytes      = []byte("global bytes")
	gUnexported struct{ a, b int8 }
)

func globals() {
	gError = &failure{1, "global failure"}
	gUnexported.b = -1
	truth.Global("main.gInt", &gInt)
	truth.Global("main.gString", &gString)
	truth.Global("main.gSlice", &gSlice)
	truth.Global("main.gMap", &gMap)
	truth.Global("main.gStruct", &gStruct)
	truth.Global("main.gPointer", &gPointer)
	truth.Global("main.gError", &gError)
	truth.Global("main.gAnything", &gAnything)
	truth.Global("main.gArray", &gArray)
	truth.Global("main.gFunc", &gFunc)
	truth.Global("main.gZero", &gZero)
	truth.Global("main.gBytes", &gBytes)
	truth.Global("main.gUnexported", &gUnexported)
}
