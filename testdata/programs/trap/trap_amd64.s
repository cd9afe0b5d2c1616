#include "textflag.h"

TEXT ·divide(SB), NOSPLIT, $16-0
	XORL CX, CX
	XORL DX, DX
	MOVL $1, AX
	DIVL CX
	RET

TEXT ·illegal(SB), NOSPLIT, $0-0
	UNDEF
	RET

TEXT ·breakpoint(SB), NOSPLIT, $32-0
	BYTE $0xcc
	RET
