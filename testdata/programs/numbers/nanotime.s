// Its presence lets Go take a function without a body: runtime.nanotime.
