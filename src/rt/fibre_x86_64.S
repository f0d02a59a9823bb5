/* void fibre_registers(void **save, void *load): the System V ABI's call-preserved
 * registers.  MXCSR and the x87 control word are never changed by us.  The note below
 * claims IBT but not SHSTK: a shadow stack would not follow the change of stacks. */
	.text
	.globl fibre_registers
	.hidden fibre_registers
	.type fibre_registers, @function
	.p2align 4
fibre_registers:
	.cfi_startproc
	endbr64
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size fibre_registers, . - fibre_registers

/* void *fibre_first_registers(void *bottom, size_t size, void (*start)(void)): six zeroes,
 * start, and a return address of 0 at which back-traces end; start finds the stack as
 * after a call. */
	.globl fibre_first_registers
	.hidden fibre_first_registers
	.type fibre_first_registers, @function
	.p2align 4
fibre_first_registers:
	.cfi_startproc
	endbr64
	leaq (%rdi, %rsi), %rax
	andq $-16, %rax
	movq $0, -8(%rax)
	movq %rdx, -16(%rax)
	movq $0, -24(%rax)
	movq $0, -32(%rax)
	movq $0, -40(%rax)
	movq $0, -48(%rax)
	movq $0, -56(%rax)
	movq $0, -64(%rax)
	subq $64, %rax
	ret
	.cfi_endproc
	.size fibre_first_registers, . - fibre_first_registers

	.section .note.GNU-stack, "", @progbits
	.section .note.gnu.property, "a"
	.p2align 3
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 1, 0
