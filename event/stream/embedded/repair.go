package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kfake writes a batch to its segment file (N.dat, Kafka's own batch format)
// and then 15 bytes about it to the index file beside it (N.idx: version,
// checksum, leader epoch, a timestamp that loading computes anew, flags with
// bit 0 for "in a transaction"). Killed between the two, it reads the batch
// back as one of no transaction: aborted records appear, and every later
// entry describes the batch before its own. What the entry says is also in
// the batch, so before each start the index is made to agree.
const (
	batchHeadSize  = 23 // up to and including the attributes
	attrTxn        = 0x10
	attrControl    = 0x20
	indexEntrySize = 15
	indexVersion   = 1
	indexFlags     = 14
)

// repair makes the index of each partition's last segment agree with its
// batches. Earlier segments were synced whole before the last was begun.
func repair(logs string) error {
	dirs, err := filepath.Glob(filepath.Join(logs, "partitions", "*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		segment, err := lastSegment(dir)
		if err != nil {
			return err
		}
		if segment == "" {
			continue
		}
		if err := repairIndex(segment); err != nil {
			return fmt.Errorf("embedded: checking the index of %s: %w", segment, err)
		}
	}
	return nil
}

// lastSegment is the path of the partition's newest .dat file, "" when none.
func lastSegment(dir string) (string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("embedded: %w", err)
	}
	last, path := int64(-1), ""
	for _, f := range files {
		base, ok := strings.CutSuffix(f.Name(), ".dat")
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(base, 10, 64); err == nil && n > last {
			last, path = n, filepath.Join(dir, f.Name())
		}
	}
	return path, nil
}

func repairIndex(segment string) error {
	path := strings.TrimSuffix(segment, ".dat") + ".idx"
	have, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	want, err := rightIndex(segment, have)
	if err != nil || bytes.Equal(have, want) {
		return err
	}
	return writeSynced(path, string(want))
}

// rightIndex has one entry for each whole batch: the one that is there when it
// is sound and says the same, else a new one.
func rightIndex(segment string, have []byte) ([]byte, error) {
	f, err := os.Open(segment)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	want := make([]byte, 0, len(have))
	var head [batchHeadSize]byte
	for pos := int64(0); ; {
		if _, err := f.ReadAt(head[:], pos); errors.Is(err, io.EOF) {
			return want, nil
		} else if err != nil {
			return nil, err
		}
		// The length counts from behind itself, 12 bytes in.
		pos += 12 + int64(binary.BigEndian.Uint32(head[8:12]))
		if pos > info.Size() {
			return want, nil // a torn batch, which kfake cuts off
		}
		want = append(want, entryFor(head, have[min(len(want), len(have)):])...)
	}
}

// entryFor is the index entry of the batch with this head; at begins with the
// entry that the file has for it, if it has one.
func entryFor(head [batchHeadSize]byte, at []byte) []byte {
	attrs := binary.BigEndian.Uint16(head[21:23])
	flag := byte(0)
	if attrs&attrTxn != 0 && attrs&attrControl == 0 {
		flag = 1
	}
	if len(at) >= indexEntrySize && at[1] == indexSum(at) && at[indexFlags]&1 == flag {
		return at[:indexEntrySize]
	}
	e := make([]byte, indexEntrySize)
	e[0], e[indexFlags] = indexVersion, flag
	binary.LittleEndian.PutUint32(e[2:6], binary.BigEndian.Uint32(head[12:16]))
	e[1] = indexSum(e)
	return e
}

func indexSum(e []byte) byte {
	return byte(crc32.Checksum(e[2:indexEntrySize], crc32.MakeTable(crc32.Castagnoli)))
}
