module example.com/bugs

go 1.18

require example.com/store/v2 v2.0.0

replace example.com/store/v2 => ./store
