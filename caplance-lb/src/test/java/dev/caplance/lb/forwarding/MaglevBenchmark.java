package dev.caplance.lb.forwarding;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The time to build a table, when the code is compiled and at the first time. */
@State(Scope.Benchmark)
@BenchmarkMode({Mode.AverageTime, Mode.SingleShotTime})
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class MaglevBenchmark {

  /** Backends and slots. */
  @Param({"1000/65537", "10000/655373"})
  public String shape;

  /** The greatest weight. */
  @Param({"1", "100"})
  public int weight;

  private List<String> names;
  private int[] weights;
  private int size;

  /** Makes up the backends. */
  @Setup
  public void nameBackends() {
    String[] numbers = shape.split("/");
    int backends = Integer.parseInt(numbers[0]);
    size = Integer.parseInt(numbers[1]);
    names = IntStream.range(0, backends).mapToObj(i -> "backend-%05d".formatted(i)).toList();
    weights = new int[backends];
    Arrays.setAll(weights, i -> 1 + i % weight);
  }

  /** As after each change of the backends. */
  @Benchmark
  public char[] build() {
    return Maglev.table(names, weights, size);
  }
}
