package dev.caplance.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Guesses which key an unknown key was meant to be. */
final class Spelling {

  private Spelling() {}

  /** The most similar known key, if one is similar enough. */
  static Optional<String> nearest(String key, Collection<String> known) {
    String wanted = normalised(key);
    int tolerated = Math.max(1, wanted.length() / 3);
    return known.stream()
        .filter(candidate -> distance(wanted, normalised(candidate)) <= tolerated)
        .min(Comparator.comparingInt(candidate -> distance(wanted, normalised(candidate))));
  }

  /** {@code data_port}, {@code data-port} and {@code dataport} all mean {@code dataPort}. */
  private static String normalised(String key) {
    return key.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
  }

  /** Edit distance in which swapping neighbours counts as one (optimal string alignment). */
  private static int distance(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int substitution = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        cost[i][j] =
            Math.min(
                cost[i - 1][j - 1] + substitution, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[a.length()][b.length()];
  }
}
