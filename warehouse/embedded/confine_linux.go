package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dieWithParent lets the kernel end the child with the thread that started it.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

const (
	landlockRead = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_EXECUTE
	landlockFile = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	landlockV1   = unix.LANDLOCK_ACCESS_FS_EXECUTE<<13 - 1 // all rights of ABI 1
)

// readable is what a process needs to run at all, besides its own files.
var readable = []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone",
	"/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys", "/proc/filesystems", "/proc/mounts", "/proc/uptime", "/proc/loadavg", "/proc/version",
	"/sys/fs/cgroup", "/sys/devices/system", "/sys/kernel/mm", "/sys/block"}

// confine leaves this process, from the next exec on, its data directory, its
// own program and libraries, and no way to open a TCP connection or port (the
// inherited one stays). It is best effort: errLandlock says the kernel has none.
func confine(dataDir string, files ...string) error {
	runtime.LockOSThread() // the restriction is this thread's until exec
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("%w: %w", errLandlock, errno)
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockV1}
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	size := unsafe.Offsetof(attr.Handled_access_net)
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Offsetof(attr.Scoped)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return fmt.Errorf("landlock ruleset: %w", errno)
	}
	defer func() { _ = unix.Close(int(fd)) }()
	rules := map[string]uint64{dataDir: attr.Handled_access_fs, "/dev/null": landlockFile, "/dev/urandom": landlockRead, "/dev/random": landlockRead}
	for _, path := range append(readable, files...) {
		rules[path] = landlockRead
	}
	for path, rights := range rules {
		if err := allowPath(int(fd), path, rights&attr.Handled_access_fs); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("landlock restrict: %w", errno)
	}
	return nil
}

// allowPath adds one rule; a path that is not there needs none.
func allowPath(ruleset int, path string, rights uint64) error {
	file, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("landlock %s: %w", path, err)
	}
	defer func() { _ = unix.Close(file) }()
	var st unix.Stat_t
	if err := unix.Fstat(file, &st); err != nil {
		return fmt.Errorf("landlock %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= landlockFile
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(file)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("landlock %s: %w", path, errno)
	}
	return nil
}

// runConfined runs this program again, as the engine, behind confine. It
// returns only when that is not possible.
func runConfined(dataDir, library string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(library)
	if err != nil {
		return err
	}
	if err := confine(dataDir, self, real); err != nil {
		return err
	}
	return syscall.Exec(self, []string{self, childArgument, dataDir, library, confinedArgument}, os.Environ())
}
