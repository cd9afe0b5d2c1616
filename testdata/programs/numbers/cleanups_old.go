//go:build !go1.25

package main

const unfinishedCleanups = 0

func cleanups() {} // until 1.24 a cleanup is a finalizer, if there is one at all
