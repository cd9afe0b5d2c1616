module example.com/c-resolver

go 1.18
