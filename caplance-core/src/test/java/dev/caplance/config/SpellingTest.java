package dev.caplance.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {

  @ParameterizedTest
  @CsvSource({
    "data_port, dataPort",
    "DataPort, dataPort",
    "dtaaPort, dataPort",
    "dataPorts, dataPort",
    "vpis, vips",
    "loadbalancer, loadBalancers",
    "interval, ",
    "x, "
  })
  void guessesTheKeyThatWasMeant(String written, String meant) {
    List<String> known = List.of("dataPort", "vips", "loadBalancers", "name");
    assertThat(Spelling.nearest(written, known).orElse(null)).isEqualTo(meant);
  }
}
