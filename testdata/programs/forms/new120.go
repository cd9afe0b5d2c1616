//go:build go1.20

package main

import (
	"errors"
	"fmt"
)

func joined() {
	one, two := errors.New("one"), fmt.Errorf("two: %w", errors.New("inner two"))
	both := errors.Join(one, two)
	say("error.joined", both, fact{Text: both.Error(), Wraps: []string{"one", "two: inner two", "inner two"}})
	several := fmt.Errorf("several: %w and %w", one, two)
	say("error.several", several, fact{Text: several.Error(), Wraps: []string{"one", "two: inner two", "inner two"}})
}
