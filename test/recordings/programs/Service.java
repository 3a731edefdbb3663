// A program that makes garbage, caches or leaks, ten times a second.
//   java -Xmx256m Service garbage=20000 cacheEntries=6000 cacheBytes=20000 leakBytes=3000 directBytes=0
// Sizes are in bytes.

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Service {
  static final Map<String, byte[]> sessions = new HashMap<>();
  static final List<ByteBuffer> direct = new ArrayList<>();

  public static void main(String[] words) throws InterruptedException {
    Map<String, Integer> options = new HashMap<>();
    for (String word : words) options.put(word.split("=")[0], Integer.parseInt(word.split("=")[1]));
    int garbage = options.getOrDefault("garbage", 1000);
    int entries = options.getOrDefault("cacheEntries", 0);
    int cacheBytes = options.getOrDefault("cacheBytes", 0);
    int leakBytes = options.getOrDefault("leakBytes", 0);
    int directBytes = options.getOrDefault("directBytes", 0);
    Map<Long, byte[]> cache =
        new LinkedHashMap<>() {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, byte[]> eldest) {
            return size() > entries;
          }
        };
    Object answer = null;
    for (long request = 0; ; request++) {
      List<byte[]> parts = new ArrayList<>();
      for (int made = 0; made < garbage; made += 1000) parts.add(new byte[1000]);
      answer = parts;
      if (entries > 0) cache.put(request, new byte[cacheBytes]);
      if (leakBytes > 0) sessions.put("session-" + request, new byte[leakBytes]);
      if (directBytes > 0 && request % 10 == 0) direct.add(touched(directBytes * 10));
      Thread.sleep(100);
    }
  }

  static ByteBuffer touched(int bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
    for (int at = 0; at < bytes; at += 1024) buffer.put(at, (byte) 1);
    return buffer;
  }
}
