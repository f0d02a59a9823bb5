/* void fibre_registers(void **save, void *load): the AAPCS64's call-preserved registers. */
	.text
	.globl fibre_registers
	.hidden fibre_registers
	.type fibre_registers, %function
	.p2align 4
fibre_registers:
	.cfi_startproc
	hint 34 /* bti c */
	sub sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp x29, x30, [sp, #0]
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x29, x30, [sp, #0]
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	.cfi_adjust_cfa_offset -160
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size fibre_registers, . - fibre_registers

/* void *fibre_first_registers(void *bottom, size_t size, void (*start)(void)): zeroes, and
 * start to return to; the frame pointer 0 ends back-traces. */
	.globl fibre_first_registers
	.hidden fibre_first_registers
	.type fibre_first_registers, %function
	.p2align 4
fibre_first_registers:
	.cfi_startproc
	hint 34 /* bti c */
	add x0, x0, x1
	and x0, x0, #-16
	sub x0, x0, #160
	stp xzr, x2, [x0, #0]
	stp xzr, xzr, [x0, #16]
	stp xzr, xzr, [x0, #32]
	stp xzr, xzr, [x0, #48]
	stp xzr, xzr, [x0, #64]
	stp xzr, xzr, [x0, #80]
	stp xzr, xzr, [x0, #96]
	stp xzr, xzr, [x0, #112]
	stp xzr, xzr, [x0, #128]
	stp xzr, xzr, [x0, #144]
	ret
	.cfi_endproc
	.size fibre_first_registers, . - fibre_first_registers

	.section .note.GNU-stack, "", %progbits
