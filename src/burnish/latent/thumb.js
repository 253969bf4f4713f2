// Decodes Burnish's image placeholders: thumb(bytes) gives { pixels, width, height }: 32×32 RGBA, and the shape to show them in.
// In a page: draw `pixels` on a 32×32 canvas (new ImageData(pixels, 32, 32)) and stretch it to width : height. MIT licence.
const TABLES = {"scales":[[[-60,11],[1,7],[0,4],[-2,1],[-3,0],[-5,-2],[-6,-3],[-7,-4],[-7,-5],[-8,-6],[-9,-7],[-9,-7],[-10,-8],[-10,-8],[-11,-9],[-11,-9],[-12,-9],[-12,-10],[-13,-10],[-13,-11],[-13,-11],[-14,-12],[-14,-12],[-15,-13],[-15,-13],[-15,-13],[-16,-14],[-16,-15],[-17,-15],[-17,-16],[-18,-16],[-18,-16],[-19,-60],[-19,-60],[-19,-60],[-20,-60],[-20,-60],[-21,-60],[-21,-60],[-22,-60],[-22,-60],[-23,-60],[-23,-60],[-23,-60]],[[-60,6],[-6,-1],[-7,-4],[-9,-6],[-11,-8],[-12,-10],[-13,-11],[-14,-12],[-15,-13],[-15,-14],[-16,-14],[-17,-15],[-17,-15],[-18,-16],[-18,-16],[-19,-17],[-19,-17],[-20,-18],[-20,-18],[-20,-18],[-21,-19],[-21,-19],[-21,-20],[-22,-20],[-22,-21],[-23,-21],[-23,-22],[-24,-22],[-24,-23],[-25,-23],[-25,-24],[-25,-24],[-26,-60],[-26,-60],[-27,-60],[-27,-60],[-28,-60],[-28,-60],[-29,-60],[-29,-60],[-30,-60],[-30,-60],[-30,-60],[-30,-60]],[[-60,3],[-7,-3],[-9,-5],[-11,-8],[-12,-10],[-14,-11],[-14,-12],[-15,-14],[-16,-14],[-17,-15],[-18,-16],[-18,-16],[-19,-17],[-20,-18],[-20,-18],[-20,-19],[-21,-19],[-21,-19],[-22,-20],[-22,-20],[-23,-21],[-23,-21],[-23,-22],[-24,-22],[-24,-23],[-25,-23],[-25,-23],[-26,-24],[-26,-25],[-26,-25],[-27,-25],[-27,-26],[-28,-60],[-28,-60],[-29,-60],[-29,-60],[-29,-60],[-30,-60],[-30,-60],[-31,-60],[-31,-60],[-32,-60],[-32,-60],[-32,-60]]],"zero":[[255,250,207],[255,247,201],[255,244,192],[254,240,186],[253,233,176],[250,224,167],[245,214,156],[238,201,143],[230,185,129],[219,170,117],[207,155,104],[197,142,91],[182,127,79],[170,116,70],[157,106,61],[144,95,52],[131,88,46],[117,77,40],[108,69,34],[91,61,29],[84,54,26],[68,46,21],[58,44,19],[39,33,16],[30,38,13],[22,20,13],[18,21,11],[11,23,9],[20,8,7],[8,12,5],[7,9,6],[2,1,4],[8,2,5],[2,5,4],[8,1,2],[4,18,2],[1,2,1],[1,2,4],[2,2,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]],"one":[[253,250,243],[250,250,235],[248,248,232],[250,248,226],[250,247,223],[249,247,218],[247,243,213],[246,240,208],[240,235,200],[235,227,190],[226,218,178],[217,208,165],[204,197,149],[195,187,135],[181,172,121],[165,161,107],[156,148,94],[141,137,82],[126,122,70],[103,110,62],[87,95,53],[75,82,45],[61,76,39],[42,71,33],[41,56,29],[29,50,22],[24,37,20],[18,43,18],[10,38,17],[2,14,12],[9,35,10],[8,13,8],[4,10,8],[1,5,7],[1,1,8],[1,1,6],[6,2,2],[4,3,3],[1,3,2],[4,2,2],[2,2,2],[1,2,2],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]],"more":[[255,246,255],[254,249,245],[247,245,227],[242,237,224],[241,236,212],[243,229,205],[235,231,201],[223,228,191],[232,226,184],[223,216,177],[210,210,169],[201,200,160],[186,190,149],[175,178,136],[168,164,124],[145,147,112],[137,138,98],[117,122,86],[109,111,75],[88,91,66],[82,81,57],[65,67,49],[54,64,41],[50,56,35],[37,50,30],[33,40,25],[24,34,22],[23,23,19],[18,23,16],[14,18,14],[11,26,11],[10,17,9],[8,12,8],[6,11,7],[5,5,6],[4,7,5],[4,4,4],[3,3,4],[3,3,3],[2,2,2],[2,2,2],[2,2,2],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]],"lowest":-4,"short":[1,1],"smoother":[{"weights":"/urtvtAT8j8WE8r6u7/s9ykj8tIREfAqCEFD7Oj8AiLt+uHewW0lH8/NOq34qlse68fzSuIfGk1O9J/IO7TW6+fw4N8TEsj7CzkuGfXO/dDaK0T4Be7x5PTmNFBREsrY88u47yof+gPoB+3sFyEDQfo8M9n8DA0PJPz3GL/j7NX24s0J58sW8O/58PwWBg72vdku59Pf2cr5FyQKHegLAfoJ6Ost7M4Iy9AQBiMG8xv0DSriAA0lIx4ZA+DZBiog9Qvz9tYQ7v8WCKTH0L3BEvsG/fUU+gAZ6LIIDwc5IQLiGbTsGwYbJwEo8IHu3bwHA/nzAhDnHNwL9d8LJs/dC7oID+T5HvcfINTzIRodDtLmL8fbT98N9/zsyBUHB+oM8NWuE+7TDO4W7PrS//nVIRfwKxD/Ht/rLAYbFPsPAQkJ8eEC+D8J4QHMuroNAwj/FDEPEvHqLWH4LT8W2A3iH/UQBwr0FOAK6NrSLDwyMQP1AO8D+yDm8T0cEi4FDFo1AksJCOUY/vP68es0BwDpA0gSmyDy3zUa503xvCrfwfjW4Uct2SYJEA/j9t/1DuMWFikC8vDkM9cSwAMOy+3LI+r3O2RnD8EM+c/O9tLsDuAOGwbr4e0hIAMFKO4GCtUK29DTLQYvCvzq7uH1KvEsCOn2KCbhFQwQHR4i4Q3zvSPg6Twdwyb+xB/g8SD7sVv0wSA0HOXz1/4F3vMY7vPv+Qwt8wwHFrnHH+AH9/P9C9S95N8J6h/+8RgZGA/55/sq","scale":0.004357,"biases":[-0.0428,-0.1548,0.0447,0.1285,-0.0452,-0.1848,-0.4134,0.0696,-0.0642,-0.1015,-0.0745,0.0927,0.025,0.1844,-0.0754,-0.2317],"dilation":1},{"weights":"9ggJBPoODBwC+xYRDLY59v76BfEDAND8AQH+Bg4UAusD9wn77wAW/P79AgP2Cf8P+OL6Bu8LBxv9FObxDPLuAR8T5/EE8fj4ByP1+PIJ8fwA/uP1EAP7/Br5CgEPChHu/gYI9OcNBxvu+vz59vztEtkICCEGFCMM6O8d7AYP/fQVBhXz7AQD8A0I9QL2+ur7Af8J+/oCBPkCAf0A9PL68vwA//34AfTz/ALxBv/y9wTv9v3uBQUG9gn2CvHyBPcB8fEE7Pn9AwUSA/oA8fIC/wT8C/cDCgv6AQD4+gH0/wP4Cf4GCfsH+/7+/vsDAAn+APv1AP/49f34A/sAAfgCA/z//AX49ADw/vkG8QMJ/f4K9Pr2+Pz7+/D+/P0GBvX8+vv8Av/8FAwBBuAXEyn3/foB+wINFiYIBv739PP3/Af2/hoM/uwDDQXx/hMKA/MECPYG/AMYFAMJ7dfdA+ftBPsI7+0AAgH4CPoNB+/0DAv9CQjzA/f+8OEABQUVBNMTBAADBv7p9+cH9foN7fb8EB38+QAB9fj/9vDx/AwK+wb0/w0Q8+ANHA4NAPYEAvQKFuwBEQ4AEg4M+ikECr8S+gYAAPME9s8J8/nt9hLuCRIRDBT/7wf2C/Tl/fn2/iH/B9z+/Qf/9yoZFXMeEQ4SBAvyByf/Cvz/Cg8R8PsCCA35DRsRzvXkDcPBvrXdyY2y49zeBdwFBPgd/+35Ewv6CcwDD+z66tzNEuXj7/nN88zyC9IPCQ77/vf69R/38fv8AAn7E/IPAgkEE/DxGAL78fT6CgsLCvwAAwMI8QYD/gMJ/wvzEPT8HvYCBfkIDPr4Hxr0Bgn7D/78KtHuFgD8Eu//DuEH/wvuEQUc++T67P4HEA8cA97gCBfZBNr67/fWCxAMCgMRAh7z/voGCQUCCez9//wP9vQBAOoG8urrDd0kCRXp8fL4Ffv299/r/f77+f0D/OcDCv8C9AX4D0L9A/L4CP8ADx33BwYDBPT8Ax/59hH6/g8EChwG+RH19/gBCjr3AxoG9dzvEwwVADkPA/z/ARIRBAoIBAL77QQJ8vcF9gjyGf8I4wr19u4B6LnCBecS9gAH7dL+4wL6/wkFCxcCAQL6/v/2BwcE8PDw+vII59vk8fP++PLrBQ0K+BDpCyUNF9nt//MM9hAcAecE/BDzAvoE/QwKAQoD9AcMAfcPAw8HCfUAAO72//4Q+Aj6+RD3/Qz3+RYDDwAMChYbCxcR9tgXAPIDFRYW9awJ+9YF7ffzGf8DBwj9//T+DAH/Cgv9+ujoDRb+BwP3AfYT798E+fgTBggNAOIG//YF9QL1+e/o/hAIAAAIBM7sAQAR+ATvByT99wj+EQEK7LMJBgjy/vb904zW+ADx9gkBBgcdEQT/BRQH/g8L/fwT+A0J79cKBOP+ASoS+ToTAucaCgMI+BQO/wH6DAQKDRYIBRDrBPIFBdDr+QD0APP9/CsH/RPz+wz8DBb58PX4CPwIC8YDEBL//BDo/u/m+gfv+fUH/ewTAw70BQv1Bx4BCwcA/0MYDLEPDg4BFPIa+X/jHd0S/gD+8kQMDfkE+t4H+BfY8wkBCO798Af19PD4CezxEDsd9AcA9QABGOUJETzq/v8B/Qf+C/z3DQj28u4D/9ofAfr32Sz38eoNAQgBEQEWBwkMAfXSA/X8+i0O/fUW8Un5/PXuCAv9Au/39uboGBns6gQB/vj1+wfz9tQD7+4BCPoEBR8A+AUMAiT8C+IQ/xH49AboAMfjB/IF9/juBQj+/gEI/xH7BQcD/gIF9w/4CQX6AwcA7//zAzcUFg0K/BDyAQYHBQgPCAb6CQAA/wL5AhAI/934CBIUDwn3/xIEBQb/AAge8QUPAAEEBBX6E/QMCQ0J7vnx6gDq/f0FCwYaDPoH+QQC+//yEgkADwoPBfYEB/cHDQEG6Ej0DAAB9gf+9xkA8h7//f78EAf5FAgIC/H98uoSBOUSBPcE7PYA8wgJ+QMD+xkUDsME9OkX+B8B7y76AgAGAQ707yMdA/EKAeP/D+8C/+b4BwMHGPsEE/z49sAN+c4U+wUB+h7vEQX4Dwn7C+b7D+gG/OT8BrITAq75DQADBf4c9fsc/fYFEQwM/fHxCPIWFPsm8ur6Fx4OAgoA8gH8CAMLEOcHAvIE6ebiB6joB97lBerr98D6F+gSEywLIT8xDPzrOeQvB/X+7dsGCAQGHg0d4uED9/YM+wQEAxoLCRr7Aw0AAB4NBgsDBvb7AxwA/e71Auv+A/QHCgwPAP3++e366u3sAgL38Bj1EwsQAffixsnzEekB+x4E/PQB/hAEBPP8Cs8Q+gAN7PD5BvYI+Qr7AgQCDQMa/QQEEPz/DPIMAev4//b7DOj3/wUBCxMJ+QIABQL3+ff3B9cDAgr6/xID/QEGCg0DAv/59wwG7O0F+BkD/CIH/AoEBxn89E8ECvMAB/T6CfUD+/v+/vT0C/D87+/z+gvs9j3z9vAAAvLyEwQC/AL7BgkTDxH4GOn1AgL9J9716w4E+wDvCxX2/wUBCAf8/u7zEP0FCA8BGun2AQUFCwQTH/379QP5AvgABO7/C+0j9wIFCtf6APT9AgcO+sgI9egY+OwW8u4KJeUNBAYB7NoWDfwMAwQC5CIJCRz6DQP8Een39/0C9vb6ARMBEP78Bxj06RsA5xcTCQYKANXw/efzBBAVBPD9//cCFPEV+foADQf3+AMPAjAFBxPz/cUC7rn6AfMSBhkDBfTtCgoT8tf+96TmEfohI/khE/f+C+EL/QUb798PCwsRAAn2H+sEFPf7CCAI/xEIAvDeDBoOCwP1+er7Ehr9+/PlAe4DBf4IAhsP/Qbx++8C8/oK/AoTAgHo8AwD+uj88RgIDu0IDd/4Dfz+FfD1CgD+9+oGBPQMAhv0AfjyAe8NBRYN/v4SAB0a7v8JA+kMCt3hAQLn5wz7/SYl9hUDCwYJGQYYBwb87t7rDPj+AwEJEQoYBwYM/MTt/tzi+eTn9tzkEP4A4bLV7eb8/Q4NABwO7wQIHxIR+ez3Bfb/+gcB6wv0ABP59tvoDQ/zDxkGFBD2EA4F+Azz","scale":0.006752,"biases":[-0.0265,-0.0913,0.02,0.016,0.0382,0.0264,0.0714,0.1044,-0.0012,0.0644,0.021,-0.1297,0.077,-0.0603,-0.0423,-0.0161],"dilation":2},{"weights":"Bf4FBvkK2+b89wn1BPv9FxQLBAQA5N/aBPzzEhIeCQUQAQUfAQzuDx7yHBwD7/r1Bff87xr/BAMGAA8I4/f6+hwGBBQN+fXu7gQO8AUUEhb8BR3/FAj+8QEC6xgI5AoL/AoMHyEYCy8T+xQJ/gfh9RXa8vLl+hCqAwy97/LF5dfa8vblBQcCEQ7/AxH4AhL3FBECBjfwEjzvBgv2BAQEBw0IHgvoASfb+TH2BwEHGTjuIer+DgIA9OcUHBQA79Tf++PUJRr35O3qx+/l2QgE3iX34Rz/9xb/I9D2CxnttAYu5wwD4BP0C+3ZBev7+O32E8zxr+4exN8ov+s15Q0wy/Ev4CEkLhUxMPgrMfso+xEFC/AR7wckvQ4e/vz4GA335/b38wIcAvgOCQgU9P74CAkHAAX2//8AAgoULxUk4rEy7sctBRj4FSkKGSQK0csDCg8SBAb9Gx8KGiAgHwwR4+7uBPYAB/0HDwQiEhwV8QvwD/YA7uYD7evrAhD2EBgW+QQFoJPT1t35APIQ/gH+7ewF+fIOEjcFFxoY9ffv4eLkuObVyvfCLy4JD/f2FhMAwMzl+t3n4PznBg0I9QH4APTv+/Xl5/fh1+UB3e3uEB33HBv5ABEX/fcH8vH8HhQF+Q8U/fsGBxDx/gbv7w/wAu/2GBD9EPr6JwzhAQECDPoX+fcMEA7+GgQJ/Q3t9wHdCRDnAwESGP8FI/kD7fYbEO8HAgL9+dn16e0J6v8FAQHzBP3y/u33CArsFwsl9/8HHPX9EBbgCCYkCvn9Avj58/UKCfECG63mKAYDDxr9GzQdF/IZ8uIfAOwY8QYTFgYN8Qn72NHl/s/iEfb1GzIqDxD9+QsV//8GIfAdBJADNxc13/IM8Rzt1ubc/PnmCCL74fIY5ufw+8biBwL0+dMA++QT6RL5FyhJGzkjDQLC5xgT++sh+PzWGRIN9/MB8PEJ9vP/1tPtAevv+PUIBPIH8vsM3t305+TUEQAA+QT8Dywa6eYE/BIWAwQD6PT09ffm6dvcAw32GBkF9uzh7ejlHPz51cP5CgD8CwcDFf/w+ADw/gQE8wL19AgICQH6DxEGFQLrB//4AQP8EAbxHiEZ/AIVCgEg9vPB/vfQGhr5/AHn7vbp+fLpFRL6/wH0/BUP4tj0COfxAQ7p6fTu/QIH8wsO8vP79+gU4ent8vD/8Rb6DRj/9P0ZAfrzCff2DgsJ9ff0+eQDBxINC/T66PLs9t3oDRUFDAcJERkA8/YC8dn2+gH+FAf3CgwFCwL0BBcBBQn6HRMKA+kE+/D3/A8nAf4IEQ8GF/vp9QXt+x38FB0SDBwI/wUE7/TV+Ajw/vgG3vIAAdr07wPiBQ/2DAL37/n8AdzlBeDbAenuJiQk5dv4KH/9/Ab9+PwV+wEU/Dvj9EX4AgUABPUUBQT08R/r9Ase283j6ibl+fsAGjYK7/v5FBv2DgEA9hQPDef0CykS7w/F/gkgAvYPA/QX/h8X9ebzHx8bB+3r6P3p8RLx6O/54ATx9Q8UCBcf9v//ERoyGPAN7MkFHywX6O/oAAH2CfwM6Pr7ESAPFxUVGwMeH6HLIdMCDhUS+QoaBQIEAc/s9f4GBPMI/uvsEeD49+vuH+cB99b8ExUf/AQbJkUVAO7p6+UN47DsHOsGFQny/Q0P5wcC1Mzg8bYT8t4eBRAP7Owc8uYCLCkWEw9I798AHCIGH//5CesH3QwYwdkMHic97+ru9wUH9/7++QT99Qjv+gUJAA37CwwQJhwKJQYJ1P0UBAocChIAAQEc/PMK7e3/GQMIBPv8F//vHeX1HvgND+sNCwj0AP/v6gMJJDIMJQ7mBw3/5+Xu7szz/wT/8/sADQ4G1vcDz/MN5iMa//797gco8uz4OU7GOCQRE+TrFBMCGf70HgMPAAkZ3eEH5xMlACkS7fr55uX39goBEwQECAAB1QYF6Pnr9A38GiIKEO8H9ugK+unvDQcMCgT88+r4/wQNDCET3vH51v356O37Dy4b8vL25+fs3NL3BgcFAhr7AhD49/z/BQYQBxEKCg4e9AIKDRf3Axn0+vP7Dhf8BRUHAfP///YABvgR/fr+8Pf2/QMFAxMD6wUABwgZDA0V8gHd68vf8O8HARwQCwYJA/LnEPoFGhAEDwIBDBox6s8Y+sHc8BsR+woC+/wRIS8tzdTK4/fpFA35Dv/XxLq79vwQ883J9wL97uH1DR0LBBDu8xT80M7kCBEB/d/uCur52dPzKCIKAPgBJEFDBR/4AQwR6v/7z/rc2xcFte/a+AP5EAULBxgMRlxN9AASur7uN/r7HvnEEioiCgL58evy6Ozv8CED2iIj2hkm8xcU/BoMFekoBe/YGgWODgK39sH4EcngEvn+G+b5HfTeQAL8H/kM6ujxBwwA8QQB1P0r+gju6vr+BxPs+iADBxgH/hAhEAUq7Azv/Ofv99fCC/XiEtrf/QW66FM17Egs3CQJGRjyGwnnKvvVAvguAvUm2fgG8fL/CAz0ABT6AwYB9gMJ+Q4D/wf/p8bb6NXt8v4INjz/LSTt+g4PAv4HAPz7/Bf569voAdXiCxUB6gkS4gUF8vLzByD8Cgr1GSv03twFIQr8/fkJGxUFGh0NBB3+6gPsDB/r/hAbBg0KDO/u4+wBFALmBAX9FwEX2eHr+hEI/Oz66Nvl7NrzCA31DQ8hEBsN/AP97Pb4A/f/9/oD9PMQCPwRBPDz7/359gPy9PL1CvX4A/H0BPTy9/f8/u4G7wH49grv/gYK7PkG6/zv/O0A8//29PPp8/ntBe/z9u348ez5A/oD9/IC8Or6AvH/9ff2+/D/8f/56+vyAPH1+e3wAu7xAPkB7wL+8fTzBvj1BAH+BgUFBQT8/P33A/0A9PgJ0zkK5hn5/urnAAj8CPn8AQ4LKQ8gCwPq0Qn27AbxLAPnH/P8Jh0aMgsEGfcLLvHs48IFBvntBxXn8wz25fXs1zoLESn2Bv/8V8DlzOQn4DYZCCMZHw31JQMHAcvc/K3pIKGwyw9D0wg8z/Mi2hs5CDYs9wsh8K0C6cDtAQ0Qw/ny5g4N4gwgDhDh9BAHEhgC","scale":0.005788,"biases":[0.0198,-0.0863,-0.1183,0.0119,-0.1542,0.0865,0.0829,-0.0152,-0.084,-0.0659,0.0705,0.0009,-0.2096,0.0486,-0.028,0.0256],"dilation":1},{"weights":"/AAKHP8gCBkdEQwEYMW+AvX26gDr8DToC38SC/PxBCoH+ioI8zjPIUH/soMeCTUhBiEd+dTw8+r0Gj0I+x4D9Azb+Cvo2u7uIekNA+jzGz7V98oH0wos4ywLFQn377To/8jhsa3LGSv0Kw0x6jjzvVIG9eIAD/gEBgvk9izu/v7//f3+/Pv8AvECvPo33RcoAfQFEdoDAAcOCQj4ase5BwT5BAgD+wDl+0H1E/Pt/SQC+ikGCTjYMD8AuYMY8ioZAxwWBtTu+fbxIEIJ7RHt8xHmADzw0eL5GNQV+tgDGT3k8cL43BAi90ETDA0G/MAIB8wC8OIi+hP469Uc1T4GqFIO+eME/+0AAhfrAUYABQUG/v///Pv8B+4Awvw23RMf/d/rFLjmA+v6GBD4bMKoEQnvHwsbGbsACMfnKhH/BD4O8jMNBxf2Ji8WzLED+QUNAwkWEfcWHQMBISUF/ALp+jj6DXHyq9vw+7oF7NMNJkoO7tkJ3AYW/UMqCQQK9cD68sPxDfoo/AIIxLID1FMfpEwW8N/469P0BR/2DlcWBgYHAgMEAQEC9d79yf402hgp","scale":0.004149,"biases":[-0.0226,-0.0187,-0.0251],"dilation":1}]};
const SIDE = 32, SHAPES = "1:1 9:8 6:5 5:4 4:3 7:5 3:2 8:5 5:3 16:9 2:1 9:4 5:2 3:1 4:1 6:1 8:9 5:6 4:5 3:4 5:7 2:3 5:8 3:5 9:16 1:2 4:9 2:5 1:3 1:4 1:6 1:8".split(" ");
const WEIGHTS = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]];

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const t = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [[e * i - f * h, c * h - b * i, b * f - c * e], [f * g - d * i, a * i - c * g, c * d - a * f], [d * h - e * g, b * g - a * h, a * e - b * d]].map(r => r.map(v => v / t));
}
const COLOURS = inverse(WEIGHTS), SPREAD = [0, 1, 2].map(k => Math.hypot(COLOURS[0][k], COLOURS[1][k], COLOURS[2][k]));
const COSINES = Array.from({ length: SIDE }, (_, k) => Array.from({ length: SIDE }, (_, n) => Math.sqrt((k ? 2 : 1) / SIDE) * Math.cos(Math.PI * (2 * n + 1) * k / 64)));

function reader(data) {
  let place = 4, code = 0, range = 0xffffffff;
  for (let k = 0; k < 4; k++) code = (code << 8 | (data[k] || 0)) >>> 0;
  return probability => {
    const bound = (range >>> 8) * probability, bit = code >= bound ? 1 : 0;
    if (bit) { code -= bound; range -= bound; } else range = bound;
    while (range < 0x1000000) { range = range * 256; code = (code << 8 | (data[place++] || 0)) >>> 0; }
    return bit;
  };
}

function smooth(colours, size) {
  let x = [...colours.map(c => c.map(v => v - 0.5)), new Float64Array(1024).fill(0.3 * Math.log(size))];
  TABLES.smoother.forEach((layer, depth) => {
    const weights = Int8Array.from(atob(layer.weights), c => c.charCodeAt(0)), d = layer.dilation, inputs = x;
    x = layer.biases.map((bias, o) => {
      const sum = new Float64Array(1024).fill(bias);
      inputs.forEach((plane, i) => {
        for (let k = 0; k < 9; k++) {
          const w = weights[(o * inputs.length + i) * 9 + k] * layer.scale, dy = (Math.floor(k / 3) - 1) * d, dx = (k % 3 - 1) * d;
          for (let v = Math.max(0, -dy); v < Math.min(SIDE, SIDE - dy); v++)
            for (let u = Math.max(0, -dx); u < Math.min(SIDE, SIDE - dx); u++) sum[v * SIDE + u] += w * plane[(v + dy) * SIDE + u + dx];
        }
      });
      return depth < TABLES.smoother.length - 1 ? sum.map(v => Math.max(v, 0)) : sum;
    });
  });
  return TABLES.smoother.length ? colours.map((c, k) => c.map((v, n) => v + x[k][n] * 0.2 * size)) : colours;
}

function thumb(data) {
  const bit = reader(data), number = bits => { let n = 0; while (bits--) n = 2 * n + bit(128); return n; };
  const step = number(5), shape = SHAPES[number(5)].split(":").map(Number), size = 4 * 2 ** (-step / 4), order = [];
  for (let plane = 0; plane < 3; plane++) for (let v = 0; v < SIDE; v++) for (let u = 0; u < SIDE; u++) {
    const scale = TABLES.scales[plane][Math.floor(Math.sqrt(v * v + u * u))][u === 0 || v === 0 ? 1 : 0];
    if (scale + step >= TABLES.lowest) order.push([scale, (plane * SIDE + v) * SIDE + u]);
  }
  order.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  const levels = new Int16Array(3 * 1024), values = new Float64Array(3 * 1024);
  for (const [scale, place] of order) {
    const level = Math.min(TABLES.zero.length - 1, scale + step - TABLES.lowest), weight = k => Math.min(2, Math.abs(levels[k]));
    const near = Math.min(2, (place % SIDE ? weight(place - 1) : 0) + ((place >> 5) % SIDE ? weight(place - SIDE) : 0) + (place >= 1024 ? weight(place - 1024) : 0));
    if (!bit(TABLES.zero[level][near])) continue;
    let found = 1;
    if (bit(TABLES.one[level][near])) { found = 2; while (found < 4096 && bit(TABLES.more[level][near])) found++; }
    levels[place] = bit(128) ? -found : found;
    values[place] = Math.sign(levels[place]) * (found - TABLES.short[Math.min(found, 2) - 1] / 16) * size;
  }
  const planes = [0, 1, 2].map(p => {
    const half = new Float64Array(1024), full = new Float64Array(1024);
    for (let k = 0; k < SIDE; k++) for (let u = 0; u < SIDE; u++) {
      const c = values[p * 1024 + k * SIDE + u];
      if (c) for (let y = 0; y < SIDE; y++) half[y * SIDE + u] += COSINES[k][y] * c;
    }
    for (let y = 0; y < SIDE; y++) for (let u = 0; u < SIDE; u++) {
      const c = half[y * SIDE + u];
      if (c) for (let x = 0; x < SIDE; x++) full[y * SIDE + x] += c * COSINES[u][x];
    }
    return full.map(v => v / SPREAD[p] + (p ? 0 : 0.5));
  });
  const colours = smooth(COLOURS.map(row => planes[0].map((_, n) => row[0] * planes[0][n] + row[1] * planes[1][n] + row[2] * planes[2][n])), size);
  const pixels = new Uint8ClampedArray(4096);
  for (let n = 0; n < 1024; n++) {
    for (let c = 0; c < 3; c++) pixels[4 * n + c] = Math.floor(Math.min(1, Math.max(0, colours[c][n])) * 255 + 0.5);
    pixels[4 * n + 3] = 255;
  }
  return { pixels, width: shape[0], height: shape[1] };
}
if (typeof module !== "undefined") module.exports = { thumb };
