//go:build !go1.21

package main

const rootName = "context"

func causes() {}
