package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

var out = bufio.NewWriter(os.Stdout)

// A fact is what a snapshot may say of one form; what is empty is not looked at.
type fact struct {
	Text    string                 `json:"text,omitempty"`
	Or      []string               `json:"or,omitempty"`      // others that are as true
	Until   int64                  `json:"until,omitempty"`   // the text has a %d: nanoseconds from the crash to this nanotime
	Wraps   []string               `json:"wraps,omitempty"`   // the texts of the errors that it wraps
	Length  *int                   `json:"length,omitempty"`  // of what it holds
	Entries map[string]interface{} `json:"entries,omitempty"` // of a map, as fmt.Sprint writes keys and values
	List    []string               `json:"list,omitempty"`    // elements likewise
	Holds   string                 `json:"holds,omitempty"`   // the dynamic type of what it holds
	Absent  []string               `json:"absent,omitempty"`  // fields that are not shown
	None    bool                   `json:"none,omitempty"`    // no text may be shown
}

func say(name string, v interface{}, f fact) {
	gForms = append(gForms, item{name, v})
	line, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(out, "form.%s = %s\n", name, line)
}

// text says that v is written as its own String, Error or fmt writes it.
func text(name string, v interface{}, written string) { say(name, v, fact{Text: written}) }

// flush writes all that was said, and when that was by the runtime's clock.
func flush() {
	fmt.Fprintf(out, "now = %d\n", clock())
	out.Flush()
}
