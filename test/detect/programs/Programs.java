// Small real programs in Java, one for each way in which memory behaves: `java -Xmx256m Programs.java NAME`, or compiled first. Each works in
// small steps at a steady rate.

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Programs {
    static final int KIB = 1024;
    static int count = 0;

    record Entry(int id, String name, byte[] body) {}

    static Entry entry(int bytes) {
        count++;
        return new Entry(count, "user " + count, new byte[bytes]);
    }

    static void forever(int perSecond, Runnable step) throws InterruptedException {
        for (;;) {
            step.run();
            Thread.sleep(1000 / perSecond);
        }
    }

    static volatile Object sink;

    static <K, V> Map<K, V> lru(int most) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        };
    }

    public static void main(String[] arguments) throws InterruptedException {
        Map<Integer, Entry> entries = new HashMap<>();
        List<Object> kept = new ArrayList<>();
        switch (arguments[0]) {
            case "idle" -> forever(1, () -> {});
            case "garbage" -> forever(100, () -> { for (int i = 0; i < 100; i++) sink = entry(4 * KIB); });
            case "bounded-cache" -> {
                Map<Integer, Entry> cache = lru(1000);
                forever(20, () -> { Entry made = entry(20 * KIB); cache.put(made.id(), made); });
            }
            case "ttl-cache" -> {
                // lives long enough to be promoted: the old generation fills with garbage
                ArrayDeque<Entry> recent = new ArrayDeque<>();
                forever(100, () -> { recent.add(entry(20 * KIB)); if (recent.size() > 1000) recent.poll(); sink = entry(200 * KIB); });
            }
            case "warm-up" -> forever(20, () -> { sink = entry(50 * KIB); if (kept.size() < 1000) kept.add(entry(50 * KIB)); });
            case "strings" -> forever(50, () -> {
                StringBuilder text = new StringBuilder();
                for (int i = 0; i < 2000; i++) text.append(i).append(',');
                sink = text.toString().split(",");
            });
            case "leak-list" -> forever(20, () -> kept.add(entry(8 * KIB)));
            case "leak-sessions" -> forever(50, () -> {
                Entry made = entry(4 * KIB);
                entries.put(made.id(), made);
                for (int i = 0; i < 100; i++) sink = entry(4 * KIB);
            });
            case "leak-buffers" -> forever(20, () -> { kept.add(ByteBuffer.allocateDirect(8 * KIB)); sink = entry(100 * KIB); });
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }
}
