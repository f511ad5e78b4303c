"""The kernel's calls by name, on x86-64 and on aarch64, sorted by what becomes of them behind the second wall.

A row is `name x86-64 aarch64`, `-` where that processor has no such call. What stands in no table is refused (EPERM).
"""

from collections.abc import Mapping
from typing import Literal

Machine = Literal["x86_64", "aarch64"]
Table = Mapping[str, Mapping[Machine, int]]


def _table(rows: str) -> Table:
    made: dict[str, Mapping[Machine, int]] = {}
    for row in rows.split(";"):
        name, x86_64, aarch64 = row.split()
        both: tuple[tuple[Machine, str], ...] = (("x86_64", x86_64), ("aarch64", aarch64))
        made[name] = {machine: int(number) for machine, number in both if number != "-"}
    return made


ALLOWED = _table(
    """
    read 0 63; write 1 64; readv 19 65; writev 20 66; pread64 17 67; pwrite64 18 68; recvfrom 45 207; recvmsg 47 212;
    poll 7 -; ppoll 271 73; select 23 -; pselect6 270 72; lseek 8 62; close 3 57; close_range 436 436; dup 32 23;
    dup2 33 -; dup3 292 24; fstat 5 80; getsockname 51 204; shutdown 48 210; munmap 11 215; mremap 25 216; brk 12 214;
    madvise 28 233; futex 202 98; rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigreturn 15 139; sigaltstack 131 132;
    sched_yield 24 124; sched_getaffinity 204 123; getcpu 309 168; clock_gettime 228 113; clock_getres 229 114;
    clock_nanosleep 230 115; nanosleep 35 101; gettimeofday 96 169; time 201 -; times 100 153; getrusage 98 165;
    getrlimit 97 163; getpid 39 172; gettid 186 178; getppid 110 173; getuid 102 174; geteuid 107 175; getgid 104 176;
    getegid 108 177; getresuid 118 148; getresgid 120 150; getgroups 115 158; uname 63 160; sysinfo 99 179;
    getrandom 318 278; restart_syscall 219 128; exit 60 93; exit_group 231 94
    """
)
"""Computing, sleeping, and reading and writing what is open already."""

CHECKED = _table(
    """
    mmap 9 222; mprotect 10 226; pkey_mprotect 329 288; fcntl 72 25; ioctl 16 29; getsockopt 55 209; sendto 44 206;
    tgkill 234 131; prlimit64 302 261; prctl 157 167
    """
)
"""Allowed for some arguments."""

FILES = _table(
    """
    open 2 -; openat 257 56; openat2 437 437; creat 85 -; stat 4 -; lstat 6 -; newfstatat 262 79; statx 332 291;
    access 21 -; faccessat 269 48; faccessat2 439 439; readlink 89 -; readlinkat 267 78; getdents 78 -;
    getdents64 217 61; getcwd 79 17; chdir 80 49; fchdir 81 50; chmod 90 -; fchmod 91 52; fchmodat 268 53;
    fchmodat2 452 452; chown 92 -; fchown 93 55; lchown 94 -; fchownat 260 54; link 86 -; linkat 265 37; symlink 88 -;
    symlinkat 266 36; unlink 87 -; unlinkat 263 35; rename 82 -; renameat 264 38; renameat2 316 276; mkdir 83 -;
    mkdirat 258 34; rmdir 84 -; mknod 133 -; mknodat 259 33; truncate 76 45; ftruncate 77 46; fallocate 285 47;
    statfs 137 43; fstatfs 138 44; utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88; setxattr 188 5;
    lsetxattr 189 6; fsetxattr 190 7; getxattr 191 8; lgetxattr 192 9; fgetxattr 193 10; listxattr 194 11;
    llistxattr 195 12; flistxattr 196 13; removexattr 197 14; lremovexattr 198 15; fremovexattr 199 16;
    setxattrat 463 463; getxattrat 464 464; listxattrat 465 465; removexattrat 466 466; inotify_add_watch 254 27;
    socket 41 198; socketpair 53 199; bind 49 200; connect 42 203; listen 50 201; accept 43 202; accept4 288 242
    """
)
"""Files by name and new sockets: refused as if by permissions (EACCES), which libraries know how to take."""

HOSTILE = _table(
    """
    execve 59 221; execveat 322 281; ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271;
    process_madvise 440 440; process_mrelease 448 448; kcmp 312 272; pidfd_open 434 434; pidfd_getfd 438 438;
    pidfd_send_signal 424 424; kill 62 129; tkill 200 130; rt_sigqueueinfo 129 138; rt_tgsigqueueinfo 297 240;
    unshare 272 97; setns 308 268; mount 165 40; umount2 166 39; move_mount 429 429; fsopen 430 430; fsconfig 431 431;
    fsmount 432 432; fspick 433 433; open_tree 428 428; open_tree_attr 467 467; mount_setattr 442 442;
    pivot_root 155 41;
    chroot 161 51; statmount 457 457; listmount 458 458; bpf 321 280; perf_event_open 298 241; io_uring_setup 425 425;
    io_uring_enter 426 426; io_uring_register 427 427; io_setup 206 0; io_submit 209 2; io_destroy 207 1;
    io_getevents 208 4; io_cancel 210 3; io_pgetevents 333 292; userfaultfd 323 282; keyctl 250 219; add_key 248 217;
    request_key 249 218; init_module 175 105; finit_module 313 273; delete_module 176 106; kexec_load 246 104;
    kexec_file_load 320 294; reboot 169 142; swapon 167 224; swapoff 168 225; acct 163 89; settimeofday 164 170;
    clock_settime 227 112; adjtimex 159 171; clock_adjtime 305 266; sethostname 170 161; setdomainname 171 162;
    iopl 172 -; ioperm 173 -; modify_ldt 154 -; personality 135 92; syslog 103 116; quotactl 179 60;
    quotactl_fd 443 443;
    lookup_dcookie 212 18; nfsservctl 180 42; uselib 134 -; vhangup 153 58; setuid 105 146; setgid 106 144;
    setreuid 113 145; setregid 114 143; setresuid 117 147; setresgid 119 149; setfsuid 122 151; setfsgid 123 152;
    setgroups 116 159; capset 126 91; seccomp 317 277; landlock_create_ruleset 444 444; landlock_add_rule 445 445;
    landlock_restrict_self 446 446; open_by_handle_at 304 265; name_to_handle_at 303 264; fanotify_init 300 262;
    fanotify_mark 301 263; memfd_secret 447 447; remap_file_pages 216 234; vmsplice 278 75; migrate_pages 256 238;
    move_pages 279 239
    """
)
"""No algorithm ever makes one: the process is killed (SIGSYS)."""

NEW = _table(
    """
    fork 57 -; vfork 58 -; clone 56 220; clone3 435 435; memfd_create 319 279; eventfd2 290 19; capget 125 90
    """
)
"""New processes, threads, memory files and events, in no other table and so refused with EPERM. They are
named to be probed."""
