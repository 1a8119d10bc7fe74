package page

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestWalk walks all dashboards and views in a real browser, wide and narrow, light
// and dark: every panel shows something, no error on the console, nothing wider
// than the window. See web/browser/walk.mjs; it walks a running program as well.
func TestWalk(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes long")
	}
	if !Built() {
		t.Skip("the page is not built: npm ci && npm run build in dashboards/page/web")
	}
	if _, err := os.Stat("web/node_modules/playwright-core"); err != nil {
		t.Skip("npm ci in dashboards/page/web brings what drives the browser: ", err)
	}
	r := newRig(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	args := []string{"browser/walk.mjs", r.url, "--key", readKey, "--customer", "12347", "--skip", "punchcard-states"}
	if dir := os.Getenv("PUNCHCARD_PAGE_SHOTS"); dir != "" {
		args = append(args, "--shots", dir)
	}
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = "web"
	out, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() == 2 {
		t.Skipf("%s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
