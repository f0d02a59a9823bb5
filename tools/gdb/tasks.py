"""gdb: `source tools/gdb/tasks.py`, then `tasks` lists every task of a Postrider process or
core file with what it waits for and where; `tasks ID` shows one.

A task that does not run has its registers on its own stack, where fibre_registers() put
them, and every function keeps a frame pointer, so the frames are a linked list."""
import gdb

# Where fibre_x86_64.S and fibre_aarch64.S leave the frame pointer and the return address.
SAVED = {"i386:x86-64": (40, 48), "aarch64": (0, 8)}
FRAMES_MAX = 64


def word(address):
    pointer = gdb.lookup_type("unsigned long").pointer()
    return int(gdb.Value(address).cast(pointer).dereference())


def place(ip):
    """The function and line of the call before ip."""
    block = gdb.block_for_pc(ip - 1)
    while block and not block.function:
        block = block.superblock
    name = block.function.print_name if block else gdb.execute(f"info symbol {ip}", to_string=True).strip()
    line = gdb.find_pc_line(ip - 1)
    return f"{name} at {line.symtab.filename}:{line.line}" if line.symtab else name


def frames(task):
    arch = gdb.selected_frame().architecture().name()
    if arch not in SAVED:
        raise gdb.GdbError(f"tasks: cannot unwind on {arch}")
    sp = int(task["fibre"]["sp"])
    bottom, size = int(task["fibre"]["bottom"]), int(task["fibre"]["size"])
    fp, ip = word(sp + SAVED[arch][0]), word(sp + SAVED[arch][1])
    for _ in range(FRAMES_MAX):
        if ip == 0:
            return
        yield ip
        if not bottom <= fp < bottom + size - 8:
            return
        fp, ip = word(fp), word(fp + 8)


def all_tasks():
    loop = gdb.parse_and_eval("loop")
    task_type = gdb.lookup_type("struct task").pointer()
    offset = next(f.bitpos // 8 for f in task_type.target().fields() if f.name == "in_all")
    link = loop["all"]["first"]
    while int(link):
        yield gdb.Value(int(link) - offset).cast(task_type).dereference()
        link = link["next"]


def text(pointer):
    return pointer.string(errors="replace") if int(pointer) else ""


class Tasks(gdb.Command):
    def __init__(self):
        super().__init__("tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = int(argument, 0) if argument else None
        running = int(gdb.parse_and_eval("loop")["running"])
        count = 0
        for task in all_tasks():
            if wanted is not None and int(task["id"]) != wanted:
                continue
            count += 1
            self.show(task, int(task.address) == running)
        print(f"{count} task{'' if count == 1 else 's'}")

    def show(self, task, is_running):
        state = str(task["state"]).removeprefix("TASK_").lower()
        waits_for = text(task["waits_for"])
        about = task["description"].string(errors="replace")
        print(f"task {int(task['id'])} {text(task['name'])} \"{about}\" {state}"
              + (f" for {waits_for}" if state == "waiting" and waits_for else "")
              + (", canceled" if task["is_canceled"] else ""))
        if is_running:
            print("    (running: see bt)")
            return
        for number, ip in enumerate(frames(task)):
            print(f"    #{number} {place(ip)}")


Tasks()
