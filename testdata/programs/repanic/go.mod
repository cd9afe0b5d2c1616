module example.com/repanic

go 1.18
