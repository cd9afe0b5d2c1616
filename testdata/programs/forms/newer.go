package main

func newer() {
	joined()
	pointers()
	causes()
}
