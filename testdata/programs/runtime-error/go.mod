module example.com/runtime-error

go 1.18
