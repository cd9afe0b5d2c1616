module example.com/c-thread

go 1.18
