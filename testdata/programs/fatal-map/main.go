// Two goroutines write one map until the runtime notices.
package main

import "fmt"

func write(m map[int]int) {
	for i := 0; ; i++ {
		m[i&15] = i
	}
}

func main() {
	m := map[int]int{}
	fmt.Printf("crash.kind = \"fatal error\"\ncrash.message = \"concurrent map writes\"\n")
	for i := 0; i < 4; i++ {
		go write(m)
	}
	select {}
}
